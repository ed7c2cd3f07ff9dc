#pragma once

// Standing still to be written down, and going on in processes that are made from that.
//
// A parked process has nothing but memory: of the kernel it keeps what this file notes, and gives
// back to itself when it goes on. So the Host only has to copy memory, and whoever restores it only
// to map it again.

namespace sock::zygote {

/// Closes every descriptor beyond `channel`, the standard three and itself, tells the Host on it
/// how to go on, and waits to be killed. Returns in a restored process only: the channel there, or
/// -1 where something could not be given back, which the Host has been told. The caller must be
/// single-threaded.
int park(int channel) noexcept;

}  // namespace sock::zygote
