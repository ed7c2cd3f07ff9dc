// Compiled filters against the tables they are made of, for any base and any edits: each call gets
// the verdict that a reader of the tables would give it. Input: base, edits, then calls.

#include <map>
#include <vector>

#include "input.hpp"
#include "unit/seccomp/bpf_evaluator.hpp"
#include "unit/seccomp/profile_reader.hpp"

namespace sock::fuzz {
namespace {

using test::Arguments;
using test::Base;
using Builder = SeccompPolicy::Builder;

std::vector<std::string_view> known_names() {
  std::vector<std::string_view> names;
  for (const auto groups : {seccomp::allowed_groups(), seccomp::refused_groups()})
    for (const auto& group : groups)
      names.insert(names.end(), group.names.begin(), group.names.end());
  for (const auto& rule : seccomp::handler_argument_rules()) names.push_back(rule.name);
  return names;
}

/// The edits of a policy, and what they make of each call.
class Edits {
 public:
  explicit Edits(Builder& builder) : builder_{builder} {}

  void make_one(Input& input) {
    static const auto names = known_names();
    const auto name = names[input.number<std::uint16_t>() % names.size()];
    const int sys_errno = 1 + input.number<std::uint16_t>() % 4095;
    switch (input.choice(6)) {
      case 0:
        builder_.allow(unsafe::AllowSyscall{std::string{name}});
        return note({&name, 1}, seccomp::allowed);
      case 1:
        builder_.allow(unsafe::AllowPtrace{});
        return note(seccomp::ptrace_calls(), seccomp::allowed);
      case 2:
        builder_.allow(unsafe::AllowMount{});
        return note(seccomp::mount_calls(), seccomp::allowed);
      case 3:
        builder_.allow(unsafe::AllowIoUring{});
        return note(seccomp::io_uring_calls(), seccomp::allowed);
      default:
        builder_.deny(name, sys_errno);
        return note({&name, 1}, {sys_errno});
    }
  }
  [[nodiscard]] const std::map<int, seccomp::Verdict>& verdicts() const { return verdicts_; }

 private:
  void note(std::span<const std::string_view> names, seccomp::Verdict verdict) {
    for (const auto name : names)
      if (const auto number = seccomp::find_number(name);
          number.known == seccomp::Number::Known::here)
        verdicts_[number.value] = verdict;
  }

  Builder& builder_;
  std::map<int, seccomp::Verdict> verdicts_;
};

seccomp_data call_of(Input& input) {
  Arguments arguments;
  // Some of the words that the rules look for, some anything.
  const int number =
      input.flag() ? input.number<std::int32_t>() : input.number<std::uint16_t>() % 512;
  for (auto& argument : arguments)
    argument = input.flag() ? input.number<std::uint64_t>() : input.number<std::uint8_t>();
  seccomp_data data = test::call_of(number, arguments);
  if (input.choice(8) == 7) data.arch = input.number<std::uint32_t>();
  return data;
}

std::uint32_t expected(const test::ProfileReader& reader, const Edits& edits,
                       const seccomp_data& data) {
  // x32 shares the native architecture's number; -1 is what a tracer writes to skip a call.
  constexpr std::uint32_t x32_bit = 0x4000'0000;
  const auto number = static_cast<std::uint32_t>(data.nr);
  const bool foreign =
      test::native_architecture == AUDIT_ARCH_X86_64 && number >= x32_bit && data.nr != -1;
  if (data.arch != test::native_architecture || foreign) return SECCOMP_RET_KILL_PROCESS;
  if (const auto edited = edits.verdicts().find(data.nr); edited != edits.verdicts().end())
    return test::kernel_form(edited->second);
  Arguments arguments;
  std::copy(std::begin(data.args), std::end(data.args), arguments.begin());
  return reader.expected(data.nr, arguments);
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock;
  using namespace sock::fuzz;
  Input input{data, size};
  static const test::ProfileReader readers[] = {test::ProfileReader{Base::handler},
                                                test::ProfileReader{Base::strict},
                                                test::ProfileReader{Base::zygote}};
  const std::size_t base = input.choice(std::size(readers));
  Builder builder{static_cast<Base>(base)};
  Edits edits{builder};
  for (std::size_t left = input.choice(8); left > 0; --left) edits.make_one(input);
  const auto policy = builder.compile();
  expect(policy.has_value(), "known names and errors compile");
  test::BpfEvaluator filter{policy->program()->instructions};
  expect(filter.size() <= BPF_MAXINSNS, "the kernel takes the program");
  do {
    const seccomp_data call = call_of(input);
    expect(filter.run(call) == expected(readers[base], edits, call), "the filter is its tables");
  } while (!input.empty());
  return 0;
}
