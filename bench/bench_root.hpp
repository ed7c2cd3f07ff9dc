#pragma once

// What every benchmark stands on: a temporary directory with a root holding the payloads, a
// directory for the library's state, and one with its helper programs. Removed at the end.

#include <filesystem>
#include <string>

#include "sock/sock.hpp"

namespace bench {

/// Thread-safe once made.
class BenchRoot {
 public:
  BenchRoot();
  ~BenchRoot();
  BenchRoot(const BenchRoot&) = delete;
  BenchRoot& operator=(const BenchRoot&) = delete;

  [[nodiscard]] std::string rootfs() const { return path_ / "rootfs"; }
  /// A payload as the host sees it: "true", "now", "wait".
  [[nodiscard]] std::string payload(const std::string& name) const;
  /// A Host of its own on every call, with `backend`.
  [[nodiscard]] sock::Result<sock::Host> open_host(sock::CgroupBackend backend) const;
  /// The library's default container for /bin/PROGRAM, without an init.
  [[nodiscard]] sock::ContainerSpec spec(const std::string& program) const;

 private:
  std::filesystem::path path_;
};

/// A name that no other container of this process has.
[[nodiscard]] std::string next_name();

}  // namespace bench
