#pragma once

// What a zygote finds out or does once, so that its children need not each: a fork inherits it.

#include <cstdint>

namespace sock::zygote {

/// Notes the signals that the runtime itself handles or ignores: once, before any import.
void note_own_signals() noexcept;
/// Notes what imports have changed since; to be called after each.
void note_signals() noexcept;
/// Bit n - 1: signal n is not the runtime's and not at its default. All, if that was never noted.
std::uint64_t noted_signals() noexcept;

/// Resets them.
void reset_noted_signals() noexcept;

/// Drops every capability from the bounding set: 41 system calls. What the zygote itself holds
/// stays.
void empty_bounding_set() noexcept;
/// In a restored process, whose own may be another: not done yet.
void forget_bounding_set() noexcept;
/// It has been done.
bool has_empty_bounding_set() noexcept;

}  // namespace sock::zygote
