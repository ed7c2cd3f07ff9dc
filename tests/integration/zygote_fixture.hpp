#pragma once

// A Host whose zygotes see modules that the test has written, and short ways to fork from them.

#include <filesystem>
#include <functional>
#include <string>

#include "host_fixture.hpp"

namespace sock::test {

/// A handler in a forked container, and the caller's end of its channel.
struct Handler {
  Container container;
  UniqueFd channel;

  /// The answer to an event: a line, with its end.
  [[nodiscard]] std::string call(const std::string& event) const;
};

class ZygoteTest : public HostTest {
 protected:
  void SetUp() override;

  ZygoteDomain open_domain(const std::string& name = "domain");
  ZygoteDomain open_domain(const ZygoteDomainSpec& spec);
  /// Of a domain with this name, which sees this test's own modules.
  [[nodiscard]] ZygoteDomainSpec domain_spec(const std::string& name);
  Rootfs domain_root();
  [[nodiscard]] std::string modules() const { return scratch() + "/modules"; }
  /// In /modules of a domain.
  void write_module(const std::string& name, const std::string& code);
  static Zygote first_zygote(ZygoteDomain& domain);
  /// A child that has imported a module of this test.
  static Zygote grow(Zygote& zygote, const std::string& module);

  /// `python3 -c code`, as nobody.
  static ContainerSpec command(const std::string& code);
  using Fork = std::function<Result<Container>(const ContainerSpec& spec)>;
  static Outcome run_forked(const Fork& fork, ContainerSpec spec);
  Outcome run_forked(Zygote& zygote, ContainerSpec spec);
  std::string output_of(Zygote& zygote, const std::string& code,
                        const std::string& name = "forked");
  /// Forks with a channel.
  static Handler start_handler(Zygote& zygote, ContainerSpec spec);
  /// The error that fork() gives; fails the test when it succeeds.
  static Error fork_error(Zygote& zygote, const ContainerSpec& spec);
  static Error grow_error(Zygote& zygote, const std::string& module);
};

/// Where memory can be limited.
class ZygoteMemoryTest : public ZygoteTest {
 protected:
  void SetUp() override;
};

/// Asks that many siblings for words, and expects no word to be the same as another's in its place.
void expect_all_differ(int siblings, const std::function<std::string()>& ask);

[[nodiscard]] std::string content(const std::filesystem::path& path);

}  // namespace sock::test
