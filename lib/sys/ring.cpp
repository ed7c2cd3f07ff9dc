// A thin cover for liburing.

#include "sys/ring.hpp"

#include <cerrno>

#include <fcntl.h>
#include <liburing.h>
#include <linux/openat2.h>

#include "sys/error.hpp"

namespace sock::sys {

struct Ring::Impl {
  io_uring ring{};
  ~Impl() { io_uring_queue_exit(&ring); }
};

namespace {

// Not of the stack: the kernel reads it at submission.
constexpr open_how for_reading{.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY,
                               .mode = 0,
                               .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

void finish(io_uring_sqe* entry, std::uint64_t tag, Ring::Link link, unsigned flags) noexcept {
  // Hard links: what follows a failure still runs, and closes the slot.
  if (link == Ring::Link::next_follows) flags |= IOSQE_IO_HARDLINK;
  entry->flags |= static_cast<std::uint8_t>(flags);
  entry->user_data = tag;
}

std::unexpected<Error> failed(int result, const char* what) {
  return sys_error(-result, what);
}

}  // namespace

Ring::Ring(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Ring::Ring(Ring&&) noexcept = default;
Ring& Ring::operator=(Ring&&) noexcept = default;
Ring::~Ring() = default;

Result<Ring> Ring::create(const RingOptions& options) {
  io_uring made{};
  int result = io_uring_queue_init(options.entries, &made, 0);
  if (result < 0) return failed(result, "io_uring");
  auto impl = std::make_unique<Impl>(made);
  result = io_uring_register_files_sparse(&impl->ring, options.slots);
  if (result < 0) return failed(result, "io_uring");
  // Bounded workers do what takes a while on files, unbounded ones the rest.
  unsigned most[2] = {options.workers, options.workers};
  result = io_uring_register_iowq_max_workers(&impl->ring, most);
  if (result < 0) return failed(result, "io_uring");
  return Ring{std::move(impl)};
}

unsigned Ring::room() const noexcept {
  return io_uring_sq_space_left(&impl_->ring);
}

void Ring::open(FdRef dir, const char* path, unsigned slot, std::uint64_t tag, Link link) noexcept {
  io_uring_sqe* const entry = io_uring_get_sqe(&impl_->ring);
  auto* const how = const_cast<open_how*>(&for_reading);  // It is only read.
  io_uring_prep_openat2_direct(entry, dir.get(), path, how, slot);
  finish(entry, tag, link, 0);
}

void Ring::advise(unsigned slot, std::uint64_t offset, std::uint64_t length, std::uint64_t tag,
                  Link link) noexcept {
  io_uring_sqe* const entry = io_uring_get_sqe(&impl_->ring);
  io_uring_prep_fadvise(entry, static_cast<int>(slot), offset, static_cast<off_t>(length),
                        POSIX_FADV_WILLNEED);
  finish(entry, tag, link, IOSQE_FIXED_FILE);
}

void Ring::close(unsigned slot, std::uint64_t tag, Link link) noexcept {
  io_uring_sqe* const entry = io_uring_get_sqe(&impl_->ring);
  io_uring_prep_close_direct(entry, slot);
  finish(entry, tag, link, 0);
}

Result<> Ring::submit_and_wait() {
  const int result = io_uring_submit_and_wait(&impl_->ring, 1);
  // EBUSY: the kernel holds more results than the ring has place for, and wants them collected.
  if (result < 0 && result != -EINTR && result != -EBUSY) return failed(result, "io_uring");
  return {};
}

void Ring::collect(const std::function<void(std::uint64_t, int)>& take) {
  io_uring_cqe* ended = nullptr;
  while (io_uring_peek_cqe(&impl_->ring, &ended) == 0) {
    const std::uint64_t tag = ended->user_data;
    const int result = ended->res;
    io_uring_cqe_seen(&impl_->ring, ended);
    take(tag, result);
  }
}

}  // namespace sock::sys
