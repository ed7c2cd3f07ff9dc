#pragma once

// Where a file has data, and where it has holes.

#include <cstdint>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "sys/inode.hpp"

namespace sock::store {

/// Makes at most `most` ranges of those, which are in order, by taking the smaller holes for data.
/// Pure.
std::vector<sys::DataRange> merge_ranges(std::vector<sys::DataRange> ranges, std::size_t most);
/// Those of a file of that many bytes, in order. A few thousand holes cost an archive little; of a
/// file with more, the smaller ones are taken for data.
Result<std::vector<sys::DataRange>> data_ranges(FdRef file, std::uint64_t size);

}  // namespace sock::store
