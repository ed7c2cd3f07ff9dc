#pragma once

// A test that runs out of descriptors.

#include <filesystem>
#include <iterator>

#include <sys/resource.h>

namespace sock::test {

inline rlim_t count_fds() {
  return static_cast<rlim_t>(std::distance(std::filesystem::directory_iterator{"/proc/self/fd"},
                                           std::filesystem::directory_iterator{}));
}

/// A lower limit of descriptors for as long as it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t limit) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lower{.rlim_cur = limit, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &lower);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace sock::test
