// "A,B" as the measuring programs are told what to import; "-" is nothing.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

inline std::vector<std::string> split_modules(std::string_view list) {
  std::vector<std::string> items;
  if (list == "-") return items;
  while (!list.empty()) {
    items.emplace_back(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(items.back().size() + 1, list.size()));
  }
  return items;
}
