// The books of the doubles.

#include "machine.hpp"

#include <algorithm>
#include <cstdlib>
#include <ranges>
#include <utility>

namespace sockd::doubles {
namespace {

Machine*& place() {
  static Machine* machine = nullptr;
  return machine;
}

}  // namespace

Machine::Machine(boost::asio::io_context& loop)
    : gate{loop, boost::asio::steady_timer::time_point::max()} {
  if (std::exchange(place(), this) != nullptr) std::abort();
}

Machine::~Machine() {
  place() = nullptr;
}

Machine& Machine::current() {
  return *place();
}

void Machine::started(const std::string& container, std::uint64_t memory) {
  const std::scoped_lock lock{mutex_};
  if (!limits_.emplace(container, memory).second) std::abort();
  memory_ += memory;
  most_memory_ = std::max(most_memory_, memory_);
}

void Machine::limited(const std::string& container, std::uint64_t memory) {
  const std::scoped_lock lock{mutex_};
  auto& limit = limits_.at(container);
  memory_ += memory - limit;
  limit = memory;
  most_memory_ = std::max(most_memory_, memory_);
}

void Machine::ended(const std::string& container) {
  const std::scoped_lock lock{mutex_};
  memory_ -= limits_.at(container);
  limits_.erase(container);
  ends_.push_back(container);
}

void Machine::refuse(const std::string& function) {
  const std::scoped_lock lock{mutex_};
  refused_.insert(function);
}

bool Machine::refuses(const std::string& function) const {
  const std::scoped_lock lock{mutex_};
  return refused_.contains(function);
}

void Machine::set_used(std::uint64_t bytes) {
  const std::scoped_lock lock{mutex_};
  used_ = bytes;
}

std::uint64_t Machine::used() const {
  const std::scoped_lock lock{mutex_};
  return used_;
}

std::vector<std::string> Machine::running() const {
  const std::scoped_lock lock{mutex_};
  const auto names = limits_ | std::views::keys;
  return {names.begin(), names.end()};
}

std::vector<std::string> Machine::ends() const {
  const std::scoped_lock lock{mutex_};
  return ends_;
}

std::uint64_t Machine::memory(const std::string& container) const {
  const std::scoped_lock lock{mutex_};
  const auto found = limits_.find(container);
  return found != limits_.end() ? found->second : 0;
}

std::uint64_t Machine::most_memory() const {
  const std::scoped_lock lock{mutex_};
  return most_memory_;
}

void Machine::open_gate() {
  is_open = true;
  gate.cancel();
}

}  // namespace sockd::doubles
