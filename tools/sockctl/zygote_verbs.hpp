#pragma once

// The verbs of `sockctl zygote`, each in a file of its own (zygote_VERB.cpp) and described in
// command_line_zygote.cpp. Each gives the exit status of the process.

#include <cstddef>
#include <string>

#include "try.hpp"

namespace sockctl {

struct ZygotePlanOptions {
  std::string costs = {};
  std::string workload = {};
  std::size_t nodes = 0;
  std::string memory = {};  ///< As given; empty: no budget.
  std::string format = "table";
};
int zygote_plan(const ZygotePlanOptions& options);

struct ZygoteTreeShowOptions {
  std::string file = {};
  std::string costs = {};     ///< Empty: costs are not known.
  std::string workload = {};  ///< Empty: nothing is predicted.
  std::string format = "table";
};
int zygote_tree_show(const ZygoteTreeShowOptions& options);

struct ZygoteOptions {
  ZygotePlanOptions plan = {};
  ZygoteTreeShowOptions tree_show = {};
};

}  // namespace sockctl
