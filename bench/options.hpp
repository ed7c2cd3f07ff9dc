// The command lines of the measuring programs: pairs of a name and a value.

#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

using TakeValue = std::function<void(std::string_view value)>;

inline TakeValue text(std::string& into) {
  return [&into](std::string_view value) { into = value; };
}

/// False where a name is not known, or has no value.
inline bool read_options(int argc, char** argv,
                         const std::map<std::string_view, TakeValue>& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto option = options.find(argv[i]);
    if (option == options.end()) return false;
    option->second(argv[i + 1]);
  }
  return argc % 2 == 1;
}
