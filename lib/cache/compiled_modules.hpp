#pragma once

// The bytecode of a package's modules, as an interpreter that is not trusted has left it.

#include <string>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/image.hpp"
#include "sock/import_tree.hpp"

#include "store/tree_record.hpp"

namespace sock::cache {

/// Where the interpreter looks for the bytecode of a module (PEP 3147):
/// "a/__pycache__/b.cpython-311.pyc" for "a/b.py". Empty for what is no module. Pure.
std::string bytecode_path(std::string_view module, std::string_view python);

struct TakenBytecode {
  std::size_t taken = 0;    ///< Modules that got some.
  std::size_t missing = 0;  ///< Modules that have none.
};

/// Moves what is below `out` (named as `-X pycache_prefix` does) for modules of `package` into
/// `tree`, which has the files that `record` says and no other, and records it. Modules that have
/// bytecode already keep theirs; whatever else is in `out` is ignored. On failure: Errc::exhausted
/// beyond a limit, Errc::corrupt for a file that is no bytecode which holds for as long as the
/// module is the same (PEP 552: unchecked, by hash).
Result<TakenBytecode> take_bytecode(FdRef out, const Package& package, std::string_view python,
                                    const ImportLimits& limits, FdRef tree,
                                    store::TreeRecord& record);

}  // namespace sock::cache
