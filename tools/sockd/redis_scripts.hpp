#pragma once

// What Redis does in one step, in Lua: so the quota holds whoever asks at the same time. Pure.
//
// Of each application, below a prefix:
//   o:NAME   an object, behind its version; Redis itself ends it;
//   ends     of each object "SIZE NAME", by its end: what the quota counts;
//   bytes    the sum of these sizes, without what has ended since the last put;
//   c:NAME   a counter;
//   counts   the names of the counters, by their ends.
// Each of these ends some time after the last object or counter. Whatever they say, an object is
// there when its own key is: an accounting that was lost (by FLUSHDB, or eviction) counts anew.

#include <cstddef>
#include <string>
#include <string_view>

namespace sockd {

/// Bytes of a version: whoever puts an object makes up one that no other has.
inline constexpr std::size_t redis_version_size = 36;

struct RedisScript {
  std::string_view text;
  std::size_t keys;
  std::string digest;  ///< SHA-1 in hexadecimal digits: what EVALSHA takes.
};

/// Keys: o:NAME, ends, bytes. Values: NAME, SIZE, TIME TO LIVE (ms), the quota's bytes, entries and
/// time to live (ms), the object behind its version. The answer is a status: OK, EXISTS or
/// EXHAUSTED.
RedisScript put_script();
/// Keys: o:NAME. The answer is "VERSION SIZE", or nothing.
RedisScript find_script();
/// Keys: o:NAME. Values: VERSION, FROM, COUNT. The answer is so many bytes of the object, or
/// nothing where the name stands for another one by now.
RedisScript piece_script();
/// Keys: o:NAME, ends, bytes. Values: NAME. The answer is 1 or 0: whether it was there.
RedisScript remove_script();
/// Keys: c:NAME, counts. Values: NAME, BY, TIME TO LIVE (ms), the quota's entries and time to live
/// (ms). The answer is the sum, as a text because Lua's numbers have 53 bits, or a status:
/// EXHAUSTED or OVERFLOW.
RedisScript add_script();

}  // namespace sockd
