// Each answers at once.

#include "local_data.hpp"

#include <ranges>

#include "sealed_memory.hpp"

namespace sockd {
namespace {

ApplicationData::Time now() {
  return ApplicationData::Clock::now();
}

}  // namespace

SharedData::Answer<> LocalData::reach() {
  co_return sock::Result<>{};
}

SharedData::Answer<> LocalData::put(DataName of, SealedObject object,
                                    std::chrono::milliseconds time_to_live) {
  // As everybody else has it. Its maker's descriptor is not seen; but that memory is its own.
  auto own = open_again(object.file);
  if (!own.has_value()) co_return std::unexpected(own.error());
  object.file.reset();
  co_return data_of(of.application).put(of.name, std::move(*own), object.size, time_to_live, now());
}

SharedData::Answer<sock::UniqueFd> LocalData::get(DataName of) {
  const auto object = data_of(of.application).get(of.name, now());
  if (!object.has_value()) co_return std::unexpected(object.error());
  // It may be gone before this one is sent.
  co_return open_again(*object);
}

SharedData::Answer<bool> LocalData::remove(DataName of) {
  co_return data_of(of.application).remove(of.name, now());
}

SharedData::Answer<std::int64_t> LocalData::add(DataName of, std::int64_t by,
                                                std::chrono::milliseconds time_to_live) {
  co_return data_of(of.application).add(of.name, by, time_to_live, now());
}

void LocalData::forget_old() {
  for (auto& data : data_ | std::views::values) data.forget_old(now());
  std::erase_if(data_, [](const auto& each) { return each.second.is_empty(); });
}

ApplicationData& LocalData::data_of(const std::string& application) {
  return data_.try_emplace(application, quota_).first->second;
}

}  // namespace sockd
