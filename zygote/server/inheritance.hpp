#pragma once

// What a zygote finds out or does once, so that its children need not each: a fork inherits it.

#include <cstdint>

namespace sock::zygote {

/// Notes which signals have a handler or are ignored; to be called after every import.
void note_signals() noexcept;
/// Bit n - 1: signal n was not at its default when noted. All, if that was never done.
std::uint64_t noted_signals() noexcept;

/// Drops every capability from the bounding set: 41 system calls. What the zygote itself holds
/// stays.
void empty_bounding_set() noexcept;
/// It has been done.
bool has_empty_bounding_set() noexcept;

}  // namespace sock::zygote
