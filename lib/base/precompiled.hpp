// What most files include, compiled once for each program (Meson's cpp_pch): it halves the time of
// a small file. Every file still includes what it uses; a build with -Db_pch=false (scripts/build
// fuzz, asan and tsan) is without it and shows one that does not.

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
