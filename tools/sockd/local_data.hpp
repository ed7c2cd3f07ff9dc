#pragma once

// The data of all applications in this daemon's memory.

#include <map>

#include "application_data.hpp"
#include "shared_data.hpp"

namespace sockd {

class LocalData final : public SharedData {
 public:
  explicit LocalData(DataQuota quota) noexcept : quota_{quota} {}

  Answer<> reach() override;
  Answer<> put(DataName of, SealedObject object, std::chrono::milliseconds time_to_live) override;
  Answer<sock::UniqueFd> get(DataName of) override;
  Answer<bool> remove(DataName of) override;
  Answer<std::int64_t> add(DataName of, std::int64_t by,
                           std::chrono::milliseconds time_to_live) override;
  void forget_old() override;

 private:
  ApplicationData& data_of(const std::string& application);

  DataQuota quota_;
  std::map<std::string, ApplicationData> data_ = {};
};

}  // namespace sockd
