#pragma once

// The runtime's end of a channel: receives messages, says hello, reports failure.

#include <cstddef>
#include <cstdint>
#include <span>

#include "wire/message.hpp"

namespace sock::zygote {

/// A message with the descriptors that came along. There is one at a time: all use the same memory,
/// so that what a child writes there can be mapped ahead (working_set.hpp).
class Inbox {
 public:
  Inbox() noexcept;
  ~Inbox();  ///< Closes the descriptors that nobody took.
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  enum class Outcome : std::uint8_t { message, end, refused };
  /// Blocking. `refused`: too long, or too many descriptors; all of it is dropped.
  Outcome receive(int channel) noexcept;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {memory_, size_}; }
  [[nodiscard]] std::size_t descriptor_count() const noexcept { return descriptor_count_; }
  [[nodiscard]] int descriptor(std::size_t index) const noexcept { return descriptors_[index]; }
  int take_descriptor(std::size_t index) noexcept;
  /// Writes to as much of the memory as a child's work usually takes.
  void rehearse() noexcept;
  /// They have been closed otherwise.
  void forget_descriptors() noexcept { descriptor_count_ = 0; }

 private:
  void drop() noexcept;

  std::byte* memory_;
  std::size_t size_ = 0;
  int descriptors_[wire::most_descriptors];
  std::size_t descriptor_count_ = 0;
};

/// Whether there is something to receive, or the end, within that time.
bool wait_for_message(int channel, int milliseconds) noexcept;
/// False when the other end has gone.
bool send(int channel, std::span<const std::byte> message) noexcept;
bool say_hello(int channel) noexcept;
bool say_imported(int channel, std::uint64_t elapsed_ns) noexcept;
bool say_failed(int channel, std::string_view reason, int sys_errno) noexcept;

}  // namespace sock::zygote
