// What is said to CRIU, and what is understood of it.

#include <gtest/gtest.h>

#include "checkpoint/criu_log.hpp"
#include "checkpoint/criu_message.hpp"
#include "checkpoint/mount_table.hpp"
#include "criu.pb-c.h"

namespace sock::checkpoint {
namespace {

TEST(CriuLog, GivesTheFirstErrorsWithoutTheirPlaces) {
  EXPECT_EQ(decisive_lines("Warn  (criu/kerndat.c:1799): Hardware breakpoints\n"
                           "Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: "
                           "Operation not permitted\n"
                           "Error (criu/files-ext.c:94): Can't dump file 5 of that type [600]\n"
                           "Error (criu/cr-dump.c:1480): Dump files (pid: 7) failed with -1\n"
                           "Error (criu/cr-dump.c:1975): Dumping FAILED.\n"),
            "Can't dump file 5 of that type [600]; Dump files (pid: 7) failed with -1");
}

TEST(CriuLog, ReadsVerboseOnes) {
  EXPECT_EQ(decisive_lines("(00.1) pie: 1: hello\n(00.100108)      1: Error (criu/files.c:2294): "
                           "File dev/null has bad mode\n"),
            "File dev/null has bad mode");
}

TEST(CriuLog, IsEmptyWithoutErrors) {
  for (const char* const log : {"", "\n\n", "Error", "Error (", "a payload says Error (x): y\n"})
    EXPECT_EQ(decisive_lines(log), "") << log;
}

TEST(CriuMessage, AsksForADump) {
  const std::string bytes = pack(DumpRequest{.pid = 77,
                                             .images = FdRef{5},
                                             .work = FdRef{6},
                                             .kills = true,
                                             .external = {"mnt[/usr]:/usr", "net[12]:network"}});
  Criu__Request* request = criu__request__unpack(
      nullptr, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->type, 1);
  EXPECT_EQ(request->opts->pid, 77);
  EXPECT_EQ(request->opts->images_dir_fd, 5);
  EXPECT_EQ(request->opts->work_dir_fd, 6);
  EXPECT_TRUE(request->opts->notify_scripts);
  EXPECT_FALSE(request->opts->leave_running);
  ASSERT_EQ(request->opts->n_external, 2U);
  EXPECT_STREQ(request->opts->external[1], "net[12]:network");
  criu__request__free_unpacked(request, nullptr);
}

TEST(CriuMessage, AsksForARestore) {
  const std::string bytes = pack(RestoreRequest{.images = FdRef{5},
                                                .work = FdRef{6},
                                                .root = "/table/0",
                                                .external = {"mnt[/]:/table/0"},
                                                .inherited = {{.key = "pipe:[9]", .fd = 4}}});
  Criu__Request* request = criu__request__unpack(
      nullptr, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->type, 2);
  EXPECT_STREQ(request->opts->root, "/table/0");
  ASSERT_EQ(request->opts->n_inherit_fd, 1U);
  EXPECT_STREQ(request->opts->inherit_fd[0]->key, "pipe:[9]");
  EXPECT_EQ(request->opts->inherit_fd[0]->fd, 4);
  EXPECT_TRUE(request->opts->rst_sibling);
  criu__request__free_unpacked(request, nullptr);
}

TEST(CriuMessage, UnderstandsAnswers) {
  Criu__Restored restored = CRIU__RESTORED__INIT;
  restored.pid = 123;
  Criu__Response sent = CRIU__RESPONSE__INIT;
  sent.type = 2;
  sent.success = 1;
  sent.restore = &restored;
  std::string bytes(criu__response__get_packed_size(&sent), '\0');
  criu__response__pack(&sent, reinterpret_cast<std::uint8_t*>(bytes.data()));
  const auto response = parse_response(bytes);
  ASSERT_TRUE(response.has_value());
  EXPECT_TRUE(response->success);
  EXPECT_EQ(response->pid, 123);
  EXPECT_EQ(parse_response("\xff\xff\xff").error().code, Errc::corrupt);
  EXPECT_EQ(parse_response("").error().code, Errc::corrupt);
}

TEST(MountTable, LeavesProcToCriu) {
  constexpr const char* table =
      "49 59 0:39 / / ro,nosuid,nodev,relatime - tmpfs none rw\n"
      "55 49 0:41 / /tmp rw,nosuid - tmpfs none rw\n"
      "50 49 254:0 /usr /usr ro,nosuid shared:1 - ext4 /dev/vda rw\n"
      "51 49 254:0 /a\\040b /a\\040b ro - ext4 /dev/vda rw\n"
      "54 49 0:40 / /dev ro,nosuid - tmpfs none rw\n"
      "58 49 0:44 / /proc rw,nosuid - proc none rw,subset=pid\n";
  const auto places = places_to_stitch(table);
  ASSERT_TRUE(places.has_value());
  EXPECT_EQ(*places, (std::vector<std::string>{"/", "/a b", "/dev", "/tmp", "/usr"}));
}

TEST(MountTable, RefusesMountsOverMounts) {
  constexpr const char* table =
      "1 0 0:1 / / ro - tmpfs none rw\n2 1 0:2 / /x ro - tmpfs none rw\n3 2 0:3 / /x ro - tmpfs n "
      "rw\n";
  EXPECT_EQ(places_to_stitch(table).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace sock::checkpoint
