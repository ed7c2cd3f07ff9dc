// Supplementary groups: set as the spec says, or refused where no process may set them.

#include "host_fixture.hpp"

namespace sock::test {
namespace {

using Groups = HostTest;

TEST_F(Groups, AreThoseOfTheSpecOrRefusedByName) {
  ContainerSpec spec = shell("id -G");
  spec.identity.groups = {7, 9};
  if (!is_rootless()) {
    EXPECT_EQ(run(spec).out, "65534 7 9\n");
    return;
  }
  const Error error = create_error(spec);
  EXPECT_EQ(error.code, Errc::unsupported) << error.message();
  EXPECT_EQ(error.stage, Stage::validate) << error.message();
  EXPECT_EQ(error.subject, "groups");
  EXPECT_NE(error.hint, "");
  EXPECT_EQ(run_shell("exit 0").status.value, 0);  // The name is free.
}

TEST_F(Groups, OfAFurtherProcessToo) {
  auto container = host().create(shell("exec sleep 60"));
  ASSERT_TRUE(container.has_value()) << container.error().message();
  TestPipe out = make_pipe();
  ExecSpec spec{.argv = {"/bin/sh", "-c", "id -G"}, .stdio = {.out = out.writer}};
  spec.identity.groups = {7, 9};
  auto process = container->exec(spec);
  out.writer.reset();
  if (!is_rootless()) {
    ASSERT_TRUE(process.has_value()) << process.error().message();
    EXPECT_EQ(drain(out.reader), "65534 7 9\n");
    EXPECT_TRUE(process->wait().value().ok());
    return;
  }
  ASSERT_FALSE(process.has_value());
  EXPECT_EQ(process.error().subject, "groups");
}

}  // namespace
}  // namespace sock::test
