// What TarWriter writes, ArchiveReader reads: contents, holes, names.

#include "store/tar_writer.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "store/archive_reader.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {
namespace {

/// An archive in memory, read in one piece.
class Text : public ByteStream {
 public:
  explicit Text(std::string_view text) : left_{text} {}
  Result<std::string_view> next() override { return std::exchange(left_, {}); }

 private:
  std::string_view left_;
};

UniqueFd file_with(const std::vector<std::pair<std::uint64_t, std::string>>& pieces,
                   std::uint64_t size) {
  const auto directory =
      sys::open(sys::cwd, std::filesystem::temp_directory_path(), O_RDONLY | O_DIRECTORY);
  auto file = sys::open(*directory, ".", O_TMPFILE | O_RDWR, 0600);
  EXPECT_TRUE(sys::set_size(*file, size).has_value());
  for (const auto& [offset, text] : pieces)
    EXPECT_TRUE(sys::write_at_offset(*file, text, offset).has_value());
  return std::move(*file);
}

struct Read {
  std::uint64_t size = 0;
  std::uint64_t data = 0;  ///< Bytes that the archive has, holes left out.
  std::string all = {};
};

Read read_back(const std::string& archive, const std::string& path) {
  const ImportLimits limits;
  Text text{archive};
  ArchiveReader reader{ArchiveFormat::tar, text, {"test"}, limits};
  const auto entry = reader.next();
  EXPECT_TRUE(entry.has_value() && entry->has_value());
  if (!entry.has_value() || !entry->has_value()) return {};
  EXPECT_EQ((*entry)->path, path);
  Read read{.size = (*entry)->entry.size};
  read.all.resize(read.size);
  EXPECT_TRUE(reader
                  .read_data([&](std::string_view bytes, std::uint64_t offset) -> Result<> {
                    read.all.replace(offset, bytes.size(), bytes);
                    read.data += bytes.size();
                    return {};
                  })
                  .has_value());
  const auto end = reader.next();
  EXPECT_TRUE(end.has_value() && !end->has_value());
  return read;
}

std::string packed(FdRef file, std::uint64_t size, Holes holes, std::string& seen) {
  std::string archive;
  TarWriter tar{[&](std::string_view bytes) -> Result<> {
                  archive += bytes;
                  return {};
                },
                holes};
  const Sink watch = [&](std::string_view bytes) -> Result<> {
    seen += bytes;
    return {};
  };
  EXPECT_TRUE(
      tar.add("file", {.kind = TreeEntry::Kind::file, .mode = 0600, .size = size}, file, watch)
          .has_value());
  EXPECT_TRUE(tar.end().has_value());
  return archive;
}

constexpr std::uint64_t megabyte = 1U << 20U;

TEST(TarWriter, KeepsHolesWhereItIsToldTo) {
  const std::string page(4096, 'p');
  const std::vector<std::vector<std::pair<std::uint64_t, std::string>>> layouts{
      {{0, page}},                        // A hole at the end,
      {{megabyte - page.size(), page}},   // at the beginning,
      {{0, page}, {megabyte / 2, page}},  // in between,
      {{megabyte / 2, page + "and more"}},
      {}};  // or nothing else.
  for (const auto& layout : layouts) {
    const UniqueFd file = file_with(layout, megabyte);
    std::string expected(megabyte, '\0');
    for (const auto& [offset, text] : layout) expected.replace(offset, text.size(), text);
    for (const Holes holes : {Holes::kept, Holes::zeros}) {
      std::string seen;
      const std::string archive = packed(file, megabyte, holes, seen);
      EXPECT_EQ(seen, expected);
      EXPECT_EQ(archive.size() < 64U << 10U, holes == Holes::kept);
      EXPECT_EQ(archive.size() > megabyte, holes == Holes::zeros);
      const Read read = read_back(archive, "file");
      EXPECT_EQ(read.size, megabyte);
      EXPECT_EQ(read.all, expected);
      EXPECT_EQ(read.data < 64U << 10U, holes == Holes::kept);
    }
  }
}

TEST(TarWriter, RefusesAFileThatIsShorterThanRecorded) {
  const UniqueFd file = file_with({{0, "short"}}, 5);
  TarWriter tar{[](std::string_view) -> Result<> { return {}; }};
  EXPECT_EQ(
      tar.add("file", {.kind = TreeEntry::Kind::file, .mode = 0600, .size = 6}, file).error().code,
      Errc::corrupt);
}

TEST(TarWriter, GivesBackWhatItsSinkSays) {
  const UniqueFd file = file_with({{0, std::string(megabyte, 'x')}}, megabyte);
  TarWriter tar{
      [](std::string_view) -> Result<> { return std::unexpected(Error{.code = Errc::exhausted}); }};
  EXPECT_EQ(tar.add("file", {.kind = TreeEntry::Kind::file, .mode = 0600, .size = megabyte}, file)
                .error()
                .code,
            Errc::exhausted);
}

}  // namespace
}  // namespace sock::store
