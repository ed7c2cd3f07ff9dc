// Debian packages, put together here: what is taken, and what is refused before it takes memory.

#include "cache/deb.hpp"

#include <filesystem>
#include <fstream>

#include <fcntl.h>

#include <gtest/gtest.h>

#include "../store/compressed.hpp"
#include "../temporary_directory.hpp"
#include "sys/file.hpp"

namespace sock::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block = 512;
constexpr std::size_t megabyte = 1U << 20U;
constexpr const char* endless = "the header of an entry goes on for megabytes";

std::string octal(std::size_t number, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t at = digits; at > 0; number /= 8)
    text[--at] = static_cast<char>('0' + number % 8);
  return text;
}

/// GNU tar's, of a file; type 'S' is for one whose holes are listed behind the header.
std::string tar_header(const std::string& name, std::size_t size, char type = '0') {
  std::string header(block, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, name);
  put(100, octal(0644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size, 11));
  put(136, octal(0, 11));
  put(148, "        ");
  put(156, {type});
  put(257, "ustar  ");
  if (type == 'S') {
    put(386, octal(0, 11));
    put(398, octal(0, 11));
    put(482, "\1");  // There are more.
  }
  std::size_t sum = 0;
  for (const unsigned char byte : header) sum += byte;
  put(148, octal(sum, 6) + '\0');
  return header;
}

std::string tar_member(const std::string& name, const std::string& data) {
  std::string member = tar_header(name, data.size()) + data;
  member.resize((member.size() + block - 1) / block * block);
  return member;
}

std::string tar(const std::string& members) {
  return members + std::string(2 * block, '\0');
}

/// A file of nothing but holes, with so many bytes of them.
std::string holes(std::size_t bytes) {
  constexpr std::size_t more = 504;
  std::string list;
  for (int i = 0; i < 21 * 2; ++i) list += octal(0, 11) + '\0';
  list.resize(block);
  list[more] = '\1';
  std::string member = tar_header("./usr/lib/python3/dist-packages/holes", 0, 'S');
  while (member.size() < bytes) member += list;
  member[member.size() - block + more] = '\0';
  return member;
}

std::string ar_member(const std::string& name, const std::string& data) {
  const auto field = [](std::string text, std::size_t size) {
    text.resize(size, ' ');
    return text;
  };
  return field(name, 16) + field("0", 12) + field("0", 6) + field("0", 6) + field("100644", 8) +
         field(std::to_string(data.size()), 10) + "`\n" + data + std::string(data.size() % 2, '\n');
}

std::string deb(const std::string& ending, const std::string& control, const std::string& data) {
  return "!<arch>\n" + ar_member("debian-binary", "2.0\n") +
         ar_member("control.tar" + ending, control) + ar_member("data.tar" + ending, data);
}

const char* const control_text =
    "Package: python3-demo\nVersion: 1.0-1\nArchitecture: all\nDescription: a test\n";

std::string control_tar() {
  return tar(tar_member("./control", control_text));
}

std::string demo() {
  return tar_member("./usr/lib/python3/dist-packages/demo.py", "value = 1\n");
}

class Debs : public ::testing::Test {
 protected:
  Result<UnpackedPackage> unpack(const std::string& bytes) {
    const fs::path tree = directory_.path() / "tree";
    fs::remove_all(tree);
    fs::create_directory(tree);
    const std::string file = directory_.path() / "demo.deb";
    std::ofstream{file, std::ios::trunc | std::ios::binary} << bytes;
    std::vector<SourceFile> files;
    files.push_back(
        SourceFile{.file = sys::open(sys::cwd, file, O_RDONLY).value(), .name = "demo.deb"});
    const auto opened = sys::open(sys::cwd, tree, O_RDONLY | O_DIRECTORY);
    return unpack_debs(files, *opened, ImportLimits{});
  }

  void expect_refused(const std::string& bytes, Errc code, const std::string& hint) {
    const auto unpacked = unpack(bytes);
    ASSERT_FALSE(unpacked.has_value());
    EXPECT_EQ(unpacked.error().code, code) << unpacked.error().message();
    EXPECT_TRUE(unpacked.error().hint.contains(hint)) << unpacked.error().message();
  }

 private:
  sock::testing::TemporaryDirectory directory_;
};

void expect_demo(const Result<UnpackedPackage>& unpacked, const char* ending) {
  ASSERT_TRUE(unpacked.has_value()) << ending << ": " << unpacked.error().message();
  EXPECT_EQ(unpacked->package, (Package{"demo", "1.0"})) << ending;
  EXPECT_TRUE(unpacked->record.entries.contains("site-packages/demo.py")) << ending;
}

TEST_F(Debs, AreCompressedAsDpkgDoes) {
  expect_demo(unpack(deb("", control_tar(), tar(demo()))), "plain");
  for (const auto& codec : store::codecs) {
    const auto bytes =
        deb(codec.ending, codec.compressed(control_tar()), codec.compressed(tar(demo())));
    expect_demo(unpack(bytes), codec.ending);
  }
}

TEST_F(Debs, AreRefusedForAHeaderThatOnlyCompressedIsSmall) {
  const std::string bomb = holes(12 * megabyte);
  const std::string control = tar(bomb + tar_member("./control", control_text));
  const std::string data = tar(bomb + demo());
  expect_refused(deb("", control_tar(), data), Errc::corrupt, endless);
  for (const auto& codec : store::codecs) {
    SCOPED_TRACE(codec.ending);
    const auto packed = codec.compressed;
    ASSERT_LT(packed(data).size(), megabyte);
    expect_refused(deb(codec.ending, packed(control_tar()), packed(data)), Errc::corrupt, endless);
    expect_refused(deb(codec.ending, packed(control), packed(tar(demo()))), Errc::corrupt, endless);
  }
}

TEST_F(Debs, MayHaveFilesWithManyHoles) {
  for (const auto& codec : store::codecs) {
    const auto data = codec.compressed(tar(holes(megabyte) + demo()));
    expect_demo(unpack(deb(codec.ending, codec.compressed(control_tar()), data)), codec.ending);
  }
}

TEST_F(Debs, AreRefusedWhereSkippingWouldTakeLong) {
  const auto& zstd = store::codecs[2];
  const auto control = zstd.compressed(tar(tar_member("./other", std::string(65 * megabyte, '\0')) +
                                           tar_member("./control", control_text)));
  expect_refused(deb(".zst", control, zstd.compressed(tar(demo()))), Errc::exhausted, "bytes_max");
  const auto data = zstd.compressed(
      tar(tar_member("./usr/share/other", std::string(100 * megabyte, '\0')) + demo()));
  expect_refused(deb(".zst", zstd.compressed(control_tar()), data), Errc::exhausted, "ratio_max");
}

TEST_F(Debs, AreRefusedForATableOfNamesThatGoesOn) {
  const auto table = ar_member("//", std::string(12 * megabyte, '\n'));
  expect_refused("!<arch>\n" + table, Errc::corrupt, endless);
}

// A gzip header within another stream could be as long as the other one decodes to.
TEST_F(Debs, AreNotCompressedTwice) {
  for (const auto& outer : store::codecs)
    for (const auto& inner : store::codecs) {
      SCOPED_TRACE(std::string{inner.ending} + outer.ending);
      const auto data = outer.compressed(inner.compressed(tar(demo())));
      expect_refused(deb(outer.ending, outer.compressed(control_tar()), data), Errc::corrupt, "");
    }
}

TEST_F(Debs, AreCompressedAsTheirMembersAreCalled) {
  const auto& gzip = store::codecs[0];
  const auto control = gzip.compressed(control_tar());
  const auto data = gzip.compressed(tar(demo()));
  for (const char* const other : {"", ".xz", ".zst"})
    expect_refused(deb(other, control, data), Errc::corrupt, "");
  for (const char* const unknown : {".bz2", ".lzma", ".gzi"})
    expect_refused(deb(unknown, control, data), Errc::unsupported, "gzip, xz or zstd");
}

TEST_F(Debs, AreRefusedWhereTheyEndTooSoon) {
  for (const auto& codec : store::codecs) {
    SCOPED_TRACE(codec.ending);
    const auto control = codec.compressed(control_tar());
    const auto data = codec.compressed(tar(demo()));
    for (const std::size_t missing : {data.size() / 2, std::size_t{4}, std::size_t{1}})
      expect_refused(deb(codec.ending, control, data.substr(0, data.size() - missing)),
                     Errc::corrupt, "");
    expect_refused(deb(codec.ending, control.substr(0, control.size() - 1), data), Errc::corrupt,
                   "");
    const auto all = deb(codec.ending, control, data);
    expect_refused(all.substr(0, all.size() - data.size() / 2), Errc::corrupt, "");
  }
}

}  // namespace
}  // namespace sock::cache
