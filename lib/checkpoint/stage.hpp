#pragma once

// The step that errors about snapshots name, also those of what they are stored and packed with.

#include <utility>

#include "sock/result.hpp"

namespace sock::checkpoint {

/// Whatever stage a lower layer has named: it is a snapshot that the caller asked for.
template <class T>
Result<T> in_checkpoint(Result<T> result) {
  if (!result.has_value()) result.error().stage = Stage::checkpoint;
  return result;
}

}  // namespace sock::checkpoint
