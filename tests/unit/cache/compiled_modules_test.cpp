// Where bytecode is.

#include "cache/compiled_modules.hpp"

#include <gtest/gtest.h>

namespace sock::cache {
namespace {

TEST(Bytecode, IsBesideItsModule) {
  EXPECT_EQ(bytecode_path("site-packages/a/b.py", "3.11"),
            "site-packages/a/__pycache__/b.cpython-311.pyc");
  EXPECT_EQ(bytecode_path("b.py", "3.9"), "__pycache__/b.cpython-39.pyc");
  EXPECT_EQ(bytecode_path("a/b.c.py", "3.11"), "a/__pycache__/b.c.cpython-311.pyc");
}

TEST(Bytecode, IsOfModulesOnly) {
  for (const char* const path : {"", "a", "a/.py", "a/b.pyc", "a/b.so", "a.py/b", "a/b.pyi"})
    EXPECT_EQ(bytecode_path(path, "3.11"), "") << path;
}

}  // namespace
}  // namespace sock::cache
