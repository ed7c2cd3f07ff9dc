#pragma once

// Runs a seccomp filter in user space, as the kernel would: the subset of classic BPF that seccomp
// accepts. Whatever else a program holds, or a jump past its end, throws, so a test fails loudly.
// Marks the instructions it has executed, for tests of coverage.

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>

namespace sock::test {

class BpfEvaluator {
 public:
  explicit BpfEvaluator(std::vector<sock_filter> program)
      : program_{std::move(program)}, executed_(program_.size(), false) {}

  /// The SECCOMP_RET_* value with its data.
  std::uint32_t run(const seccomp_data& data) {
    std::uint32_t a = 0;
    for (std::size_t at = 0;; ++at) {
      const sock_filter& instruction = program_.at(at);
      executed_.at(at) = true;
      const std::uint32_t k = instruction.k;
      switch (instruction.code) {
        case BPF_LD | BPF_W | BPF_ABS:
          a = load(data, k);
          break;
        case BPF_ALU | BPF_AND | BPF_K:
          a &= k;
          break;
        case BPF_JMP | BPF_JA:
          at += k;
          break;
        case BPF_JMP | BPF_JEQ | BPF_K:
          at += a == k ? instruction.jt : instruction.jf;
          break;
        case BPF_JMP | BPF_JGT | BPF_K:
          at += a > k ? instruction.jt : instruction.jf;
          break;
        case BPF_JMP | BPF_JGE | BPF_K:
          at += a >= k ? instruction.jt : instruction.jf;
          break;
        case BPF_JMP | BPF_JSET | BPF_K:
          at += (a & k) != 0 ? instruction.jt : instruction.jf;
          break;
        case BPF_RET | BPF_K:
          return k;
        default:
          throw std::runtime_error("instruction " + std::to_string(at) + ": code " +
                                   std::to_string(instruction.code));
      }
    }
  }

  [[nodiscard]] std::size_t size() const { return program_.size(); }
  /// Positions of instructions that no run has reached.
  [[nodiscard]] std::vector<std::size_t> never_executed() const {
    std::vector<std::size_t> positions;
    for (std::size_t at = 0; at < executed_.size(); ++at)
      if (!executed_[at]) positions.push_back(at);
    return positions;
  }

 private:
  static std::uint32_t load(const seccomp_data& data, std::uint32_t offset) {
    if (offset % 4 != 0 || offset + 4 > sizeof data) throw std::runtime_error("load");
    std::uint32_t word = 0;
    std::memcpy(&word, reinterpret_cast<const char*>(&data) + offset, sizeof word);
    return word;
  }

  std::vector<sock_filter> program_;
  std::vector<bool> executed_;
};

}  // namespace sock::test
