// Progress of an import or an export, for people.

#include "image_progress.hpp"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

std::string bar(double part) {
  constexpr std::size_t width = 20;
  const auto full = std::min(width, static_cast<std::size_t>(part * width));
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

std::string time_left(double part, double seconds) {
  if (part <= 0.02 || part >= 1 || seconds < 1) return {};
  return fmt::format("  {:.0f} s left", seconds * (1 - part) / part);
}

}  // namespace

std::string progress_line(const sock::ImportProgress& progress,
                          std::chrono::duration<double> time) {
  using Step = sock::ImportProgress::Step;
  const std::string step{to_string(progress.step)};
  if (progress.step != Step::unpacking && progress.step != Step::packing) return step;
  const double seconds = std::max(time.count(), 0.001);
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(progress.bytes_read) / seconds);
  if (progress.bytes_total == 0)
    return fmt::format("{}  {}  {}/s  {} files", step, human_size(progress.bytes_read),
                       human_size(rate), progress.entries);
  const double part = std::min(
      1.0, static_cast<double>(progress.bytes_read) / static_cast<double>(progress.bytes_total));
  return fmt::format("{}  {}  {:3.0f}%  {} / {}  {}/s{}  {} files", step, bar(part), part * 100,
                     human_size(progress.bytes_read), human_size(progress.bytes_total),
                     human_size(rate), time_left(part, seconds), progress.entries);
}

ProgressView::~ProgressView() {
  if (has_line_) (void)write_all(sock::FdRef{2}, "\r\x1b[K");
}

ProgressView::Kind ProgressView::kind_of_stderr() noexcept {
  return ::isatty(2) == 1 ? Kind::terminal : Kind::lines;
}

void ProgressView::show(const sock::ImportProgress& progress) {
  if (kind_ == Kind::none) return;
  const auto now = std::chrono::steady_clock::now();
  const auto line = progress_line(progress, now - start_);
  if (kind_ == Kind::terminal) {
    (void)write_all(sock::FdRef{2}, "\r" + line + "\x1b[K");
    has_line_ = true;
    return;
  }
  // Somewhere else, only what takes long gets lines.
  constexpr std::chrono::seconds pause{5};
  if (now < next_) return;
  next_ = now + pause;
  complain(line);
}

}  // namespace sockctl
