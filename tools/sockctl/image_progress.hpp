#pragma once

// How far an import is, or the export of a snapshot, on stderr: one line that is written over on a
// terminal, plain lines elsewhere.

#include <chrono>
#include <string>

#include "sock/image.hpp"

namespace sockctl {

/// "unpacking  [#####.....]  52%  31.2 MiB / 60.0 MiB  18.4 MiB/s  2 s left  1234 files"
std::string progress_line(const sock::ImportProgress& progress, std::chrono::duration<double> time);

/// Thread-bound. Its destructor ends the line.
class ProgressView {
 public:
  enum class Kind : std::uint8_t { none, lines, terminal };
  explicit ProgressView(Kind kind) noexcept : kind_{kind} {}
  ~ProgressView();
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  void show(const sock::ImportProgress& progress);
  /// What stderr is.
  static Kind kind_of_stderr() noexcept;

 private:
  const Kind kind_;
  bool has_line_ = false;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_ = start_ + std::chrono::seconds{2};
};

}  // namespace sockctl
