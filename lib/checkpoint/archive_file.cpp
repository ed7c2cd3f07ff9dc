// Reading an archive.

#include "checkpoint/archive_file.hpp"

#include "base/try.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {

ArchiveFile::ArchiveFile(FdRef file, std::string name, store::ProgressMeter& progress)
    : file_{file}, name_{std::move(name)}, progress_{progress}, buffer_(256U << 10U, '\0') {}

Result<std::string_view> ArchiveFile::next() {
  const auto count = SOCK_TRY(sys::read_some(file_, buffer_.data(), buffer_.size()));
  progress_.count_bytes(count);
  progress_.tell();
  if (count > left_)
    return base::refuse(Errc::exhausted, Stage::checkpoint, name_,
                        "the header of an entry goes on for megabytes");
  if (left_ != unbounded) left_ -= count;
  return std::string_view{buffer_.data(), count};
}

}  // namespace sock::checkpoint
