// Texts that end with a NUL, which no path has: the time, the directory, names.

#include "directory_mark.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>

namespace sockd {

DirectoryMark::DirectoryMark(std::string file, std::string directory, std::chrono::nanoseconds now)
    : file_{std::move(file)}, directory_{std::move(directory)}, time_{now} {
  if (read()) return;
  time_ = now;
  names_.clear();
  write();
}

// The clock of file systems is a coarse one: many files have the same time.
bool DirectoryMark::is_behind(const FoundFile& file) const {
  return file.changed > time_ || (file.changed == time_ && !names_.contains(file.name));
}

void DirectoryMark::advance(const FoundFile& file) {
  if (!is_behind(file)) return;
  if (file.changed > time_) names_.clear();
  time_ = file.changed;
  names_.insert(file.name);
  write();
}

bool DirectoryMark::read() {
  std::ifstream in{file_, std::ios::binary};
  std::string text;
  std::string of;
  std::int64_t time = 0;
  if (!std::getline(in, text, '\0') || !std::getline(in, of, '\0') || of != directory_)
    return false;
  const char* const end = text.data() + text.size();
  if (const auto [at, failed] = std::from_chars(text.data(), end, time);
      failed != std::errc{} || at != end)
    return false;
  time_ = std::chrono::nanoseconds{time};
  for (std::string name; std::getline(in, name, '\0');) names_.insert(std::move(name));
  return true;
}

void DirectoryMark::write() const {
  const std::string fresh = file_ + ".new";
  {
    std::ofstream out{fresh, std::ios::binary};
    out << time_.count() << '\0' << directory_ << '\0';
    for (const auto& name : names_) out << name << '\0';
    // On a full disk the mark before stays: what is behind that is told again, and nothing is lost.
    if (!out.flush()) return;
  }
  std::error_code ignored;
  std::filesystem::rename(fresh, file_, ignored);
}

}  // namespace sockd
