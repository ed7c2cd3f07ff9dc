// Reading on, piece by piece.

#include "store/file_stream.hpp"

#include "base/try.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"

namespace sock::store {

FileStream::FileStream(FdRef file) : file_{file}, buffer_(64U << 10U, '\0') {}

Result<std::string_view> FileStream::next() {
  const auto count =
      SOCK_TRY(base::in_stage(store_stage, sys::read_some(file_, buffer_.data(), buffer_.size())));
  return std::string_view{buffer_.data(), count};
}

}  // namespace sock::store
