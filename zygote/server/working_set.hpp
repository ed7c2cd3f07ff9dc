#pragma once

// What a fork really costs is its page faults: each page that a child writes is copied at its first
// write, each page of a file that it reads is looked up anew, one trap each. All children of a
// zygote touch nearly the same pages before their payloads' first statements. So one child that is
// no container goes through the same, tells which pages those were, and later children map them
// with a few system calls (as REAP does for snapshots, Ustiugov et al., ASPLOS'21).
//
// Nothing depends on it: a page that is missed is a fault, a page too many is a copy.

namespace sock::zygote {

/// In the child that shows it: writes what it has touched since it was forked into a pipe. At most
/// 64 KiB, so that the write never waits for the reader.
bool record_working_set(int pipe) noexcept;

/// In the zygote: reads it, to the pipe's end. False: there is none, and populate() does nothing.
bool learn_working_set(int pipe) noexcept;

/// In a new child: maps and copies it.
/// KERNEL: since 5.14; nothing happens before.
void populate_working_set() noexcept;

}  // namespace sock::zygote
