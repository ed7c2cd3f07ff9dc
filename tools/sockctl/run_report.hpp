#pragma once

// What `run` tells programs about one container (--status-fd, --meta), and the table of --timings.

#include <chrono>
#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sock/container.hpp"
#include "sock/prefetch.hpp"

#include "run_options.hpp"

namespace sockctl {

class RunReport {
 public:
  /// `options` must outlive it.
  explicit RunReport(const RunOptions& options);
  Result<> started(const sock::Container& container);
  /// The result of a container that has started.
  Result<> ended(const sock::Container& container, const sock::ExitStatus& status);
  /// The result of one that has not.
  Result<> failed(const Error& error);

 private:
  Result<> event(const nlohmann::json& body) const;
  Result<> write_meta(const nlohmann::json& result) const;
  const RunOptions& options_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// For people: a line for each stage and one for the total.
std::string timings_table(std::span<const sock::StageTiming> timings);
/// And one of what was prefetched: "prefetch: 566 files, 64.0 MiB, asked for in 65.2 ms
/// (io_uring)".
std::string prefetch_line(const sock::PrefetchReport& report);

}  // namespace sockctl
