// User namespaces that a Host keeps for the next container: few, and none of a domain that is gone.

#include <filesystem>
#include <string>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

/// Of this process, which is the Host's.
std::size_t held_user_namespaces() {
  std::size_t count = 0;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator{"/proc/self/fd"})
    if (fs::read_symlink(entry, gone).string().starts_with("user:")) ++count;
  return count;
}

using KeptNamespaces = ZygoteTest;

TEST_F(KeptNamespaces, GoWithTheirDomain) {
  const std::size_t before = held_user_namespaces();
  for (int i = 0; i < 4; ++i) {
    ZygoteDomain domain = open_domain("domain" + std::to_string(i));
    Zygote zygote = first_zygote(domain);
    EXPECT_EQ(output_of(zygote, "print(1)"), "1\n");
    EXPECT_EQ(held_user_namespaces(), before + 1);
  }
  EXPECT_EQ(held_user_namespaces(), before);
}

TEST_F(KeptNamespaces, AreFew) {
  constexpr std::uint32_t many = 40;
  constexpr std::uint32_t few = 20;
  const std::size_t before = held_user_namespaces();
  for (std::uint32_t i = 0; i < many; ++i) {
    const IdRange range{.inside = 0, .outside = 100'000 + i * 65'536, .count = 65'536};
    ContainerSpec spec = shell("true");
    spec.namespaces.user = UserNamespace{.uids = {range}, .gids = {range}};
    EXPECT_TRUE(run(spec).status.ok());
  }
  EXPECT_LE(held_user_namespaces(), before + few);
}

}  // namespace
}  // namespace sock::test
