#pragma once

// The lists of an image's root, in the store: one for each command, and the last that was recorded
// of a program (a command's first word) also under the program's own name.

#include <optional>
#include <string>
#include <vector>

#include "sock/result.hpp"

#include "image/prefetch_list.hpp"
#include "image/store_directory.hpp"

namespace sock::image {

/// `chain` is the name of the root.
Result<> save_prefetch_list(const StoreDirectory& store, const store::Digest& chain,
                            const PrefetchList& list);
/// The command's, or else the last of its program; empty when there is none.
/// On failure: Errc::corrupt for a damaged one.
Result<std::optional<PrefetchList>> find_prefetch_list(const StoreDirectory& store,
                                                       const store::Digest& chain,
                                                       const std::vector<std::string>& command);
/// One for each command, sorted by it.
Result<std::vector<PrefetchList>> load_prefetch_lists(const StoreDirectory& store,
                                                      const store::Digest& chain);

}  // namespace sock::image
