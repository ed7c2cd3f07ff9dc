// What processes hold, as the kernel counts it.

#pragma once

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <sys/types.h>

/// In bytes.
struct Memory {
  double pss = 0;
  double private_memory = 0;
};

inline Memory memory_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
  Memory memory;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    std::string name;
    double kib = 0;
    words >> name >> kib;
    if (name == "Pss:") memory.pss = kib * 1024;
    if (name == "Private_Clean:" || name == "Private_Dirty:") memory.private_memory += kib * 1024;
  }
  return memory;
}

inline Memory mean_memory_of(const std::vector<pid_t>& pids) {
  Memory sum;
  for (const pid_t pid : pids) {
    const Memory one = memory_of(pid);
    sum.pss += one.pss / static_cast<double>(pids.size());
    sum.private_memory += one.private_memory / static_cast<double>(pids.size());
  }
  return sum;
}

inline void print_memory(const char* name, const Memory& memory, const char* after) {
  std::printf("\"%s\": {\"pss\": %.0f, \"private\": %.0f}%s", name, memory.pss,
              memory.private_memory, after);
}
