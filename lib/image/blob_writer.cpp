// Writing blobs.

#include "image/blob_writer.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

const std::string unfinished = "unfinished";

}  // namespace

Result<BlobWriter> BlobWriter::create(FdRef blobs) {
  auto file = SOCK_TRY(base::in_stage(
      image_stage, sys::open_beneath(blobs, unfinished, O_WRONLY | O_CREAT | O_TRUNC, 0644)));
  return BlobWriter{blobs, std::move(file)};
}

Result<> BlobWriter::write(std::string_view bytes) {
  hash_.update(bytes);
  size_ += bytes.size();
  return base::in_stage(image_stage, sys::write_all(file_, bytes));
}

Result<WrittenBlob> BlobWriter::finish() {
  WrittenBlob written{.digest = hash_.finish(), .size = size_};
  SOCK_TRY(
      base::in_stage(image_stage, sys::rename(blobs_, unfinished, blobs_, written.digest.hex())));
  return written;
}

Result<WrittenBlob> write_blob(FdRef blobs, std::string_view bytes) {
  auto writer = SOCK_TRY(BlobWriter::create(blobs));
  SOCK_TRY(writer.write(bytes));
  return writer.finish();
}

}  // namespace sock::image
