#pragma once

// A child that is forked ahead. It waits for its work in the groups of the container that it will
// be: joining them may take milliseconds, and nobody waits for that here.

namespace sock::zygote {

/// Nobody needs it any more: the other end of its channel has gone.
bool is_abandoned(int channel) noexcept;
/// In the spare, before its hello: joins the groups that the first message on its channel names.
/// False: it is of no use.
bool join_waiting_groups(int channel) noexcept;

}  // namespace sock::zygote
