// Snapshots as files: there and back, and whatever else somebody may give us for one.

#include <functional>
#include <random>

#include <sys/stat.h>

#include "checkpoint_fixture.hpp"
#include "tar_file.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

class SnapshotArchive : public Checkpoint {
 protected:
  void SetUp() override {
    Checkpoint::SetUp();
    if (IsSkipped()) return;
    auto opened = SnapshotStore::open({.directory = scratch() + "/other"});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    other_.emplace(std::move(*opened));
    std::ofstream{canary()} << "untouched";
  }

  /// The store of another machine, as it were.
  SnapshotStore& other() { return *other_; }
  [[nodiscard]] std::string archive() const { return scratch() + "/snap.tar"; }
  [[nodiscard]] std::string canary() const { return scratch() + "/canary"; }

  /// A snapshot "snap" of a container with something in its tmpfs, and what export made of it.
  void write_archive() {
    Talker original = start(talker_spec("original"));
    EXPECT_EQ(original.ask("echo"), "echo\n");
    checkpoint(original.container, {.name = "snap", .origins = {"image:@sha256:abc"}});
    const auto saved = store().save("snap", archive());
    ASSERT_TRUE(saved.has_value()) << saved.error().message();
  }
  Result<Snapshot> add(const std::string& bytes, const SnapshotImportOptions& options = {}) {
    const std::string path = scratch() + "/given.tar";
    write_bytes(path, bytes);
    return other().add(path, options);
  }
  void expect_nothing_came(const std::string& what) {
    const auto listed = other().list();
    EXPECT_TRUE(listed.has_value() && listed->empty()) << what;
    EXPECT_TRUE(fs::is_empty(scratch() + "/other/staging")) << what;
    EXPECT_EQ(read_text(canary()), "untouched") << what;
  }
  void expect_refused(const std::string& what, const std::string& bytes,
                      Errc code = Errc::corrupt) {
    const auto added = add(bytes);
    ASSERT_FALSE(added.has_value()) << what;
    EXPECT_EQ(added.error().code, code) << what << ": " << added.error().message();
    EXPECT_EQ(added.error().stage, Stage::checkpoint) << what << ": " << added.error().message();
    expect_nothing_came(what);
  }

 private:
  std::optional<SnapshotStore> other_;
};

using Change = std::function<void(TarFile&)>;

/// The first member whose name ends like this.
TarMember& member(TarFile& tar, const std::string& end) {
  for (auto& each : tar)
    if (each.name().ends_with(end)) return each;
  ADD_FAILURE() << "no member " << end;
  return tar.front();
}

/// Puts a copy of a member, changed, behind it.
Change insert_after(const std::string& end, const std::function<void(TarMember&)>& change) {
  return [=](TarFile& tar) {
    TarMember& found = member(tar, end);
    TarMember copy = found;
    change(copy);
    tar.insert(tar.begin() + (&found - tar.data()) + 1, copy);
  };
}

TEST_F(SnapshotArchive, GoesToAnotherStoreAndIsRestoredThere) {
  write_archive();
  struct stat st {};
  ASSERT_EQ(::stat(archive().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 0600U);
  const auto added = other().add(archive());
  ASSERT_TRUE(added.has_value()) << added.error().message();
  const auto original = store().find("snap");
  ASSERT_TRUE(original.has_value());
  EXPECT_EQ(added->name, "snap");
  EXPECT_EQ(added->digest, original->digest);
  EXPECT_EQ(added->origins, std::vector<std::string>{"image:@sha256:abc"});
  const auto verified = other().verify("snap");
  ASSERT_TRUE(verified.has_value() && verified->ok());
  ASSERT_TRUE(store().remove("snap").has_value());
  fs::remove(archive());
  auto used = other().use("snap");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  auto restored = restore(host(), *used, {.name = "again"});
  ASSERT_TRUE(restored.has_value()) << restored.error().message();
  EXPECT_EQ(restored->ask("what"), all_of_it);
}

TEST_F(SnapshotArchive, IsTheSameEveryTimeAndKeepsTheModesOfAStore) {
  write_archive();
  const std::string first = read_text(archive());
  ASSERT_TRUE(store().save("snap", scratch() + "/second.tar").has_value());
  EXPECT_EQ(first, read_text(scratch() + "/second.tar"));
  TarFile tar = read_tar(first);
  for (auto& each : tar)
    if (!each.name().contains("/tree/")) each.set_owner(65534).set_mode(04777);
  const auto added = add(to_bytes(tar), {.name = "given"});
  ASSERT_TRUE(added.has_value()) << added.error().message();
  const fs::path snapshot = scratch() + "/other/snapshots/given";
  std::vector<fs::path> paths{snapshot, snapshot / "manifest", snapshot / "digest",
                              snapshot / "images", snapshot / "scratch"};
  for (const auto& file : fs::directory_iterator{snapshot / "images"}) paths.push_back(file.path());
  for (const auto& path : paths) {
    struct stat st {};
    ASSERT_EQ(::lstat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_uid, ::geteuid()) << path;
    EXPECT_EQ(st.st_mode & 07777U, S_ISDIR(st.st_mode) ? 0700U : 0600U) << path;
  }
}

TEST_F(SnapshotArchive, KeepsWhatWasInATmpfs) {
  ContainerSpec spec = shell(
      "umask 0; cd /tmp; echo one >a; ln a b; ln -s ../b c; mkdir -m 1777 d; mkfifo d/p; "
      "truncate -s 8M d/holes; chmod 4750 a; echo ready; read line; cat a; stat -c %h:%a b; "
      "readlink c; stat -c '%s %b %a' d/holes d");
  spec.name = "tree";
  spec.checkpointable = true;
  Talker original = start(spec);
  checkpoint(original.container, {.name = "snap", .after = CheckpointOptions::After::stop});
  ASSERT_TRUE(store().save("snap", archive()).has_value());
  EXPECT_LT(fs::file_size(archive()), 8U << 20U);
  const auto added = other().add(archive());
  ASSERT_TRUE(added.has_value()) << added.error().message();
  auto used = other().use("snap");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  auto restored = restore(host(), *used, {.name = "again"});
  ASSERT_TRUE(restored.has_value()) << restored.error().message();
  std::string all = restored->ask("on");
  all += drain(restored->from);
  EXPECT_TRUE(all.starts_with("one\n2:4750\n../b\n8388608 0 666\n")) << all;
  EXPECT_TRUE(all.ends_with(" 1777\n")) << all;
}

TEST_F(SnapshotArchive, HasAnyNameThatIsFree) {
  write_archive();
  ASSERT_TRUE(other().add(archive()).has_value());
  EXPECT_EQ(other().add(archive()).error().code, Errc::exists);
  ASSERT_TRUE(other().add(archive(), {.name = "second"}).has_value());
  EXPECT_EQ(other().add(archive(), {.name = "second"}).error().code, Errc::exists);
  for (const char* const name : {"..", "a/b", ".hidden", "-x"})
    EXPECT_EQ(other().add(archive(), {.name = name}).error().code, Errc::invalid_spec) << name;
  EXPECT_EQ(other().list()->size(), 2U);
  EXPECT_TRUE(fs::is_empty(scratch() + "/other/staging"));
}

TEST_F(SnapshotArchive, IsWrittenToANewFileOrNotAtAll) {
  write_archive();
  const auto refused = [&](const std::string& file) { return store().save("snap", file).error(); };
  EXPECT_EQ(refused(archive()).code, Errc::exists);
  EXPECT_EQ(refused(scratch() + "/missing/x").code, Errc::not_found);
  EXPECT_EQ(refused(scratch()).code, Errc::exists);
  EXPECT_EQ(store().save("nobody", scratch() + "/x").error().code, Errc::not_found);
  EXPECT_EQ(store().save("../snap", scratch() + "/x").error().code, Errc::not_found);
  EXPECT_EQ(other().add(scratch()).error().code, Errc::invalid_spec);
  EXPECT_EQ(other().add(scratch() + "/missing").error().code, Errc::not_found);
  EXPECT_FALSE(fs::exists(scratch() + "/x"));
}

TEST_F(SnapshotArchive, OfADamagedSnapshotIsNotWritten) {
  write_archive();
  for (const auto& file : fs::directory_iterator{scratch() + "/snapshots/snapshots/snap/images"}) {
    const std::string content = read_text(file.path());
    if (content.empty()) continue;
    std::string flipped = content;
    flipped[flipped.size() / 2] ^= 1;
    for (const auto& damaged : {flipped, content + "x", content.substr(1)}) {
      write_bytes(file.path(), damaged);
      const auto saved = store().save("snap", scratch() + "/x");
      ASSERT_FALSE(saved.has_value()) << file.path();
      EXPECT_EQ(saved.error().code, Errc::corrupt) << saved.error().message();
      EXPECT_FALSE(fs::exists(scratch() + "/x"));
    }
    write_bytes(file.path(), content);
  }
  const std::string kept = scratch() + "/snapshots/snapshots/snap/scratch/0/tree/kept";
  ASSERT_EQ(read_text(kept), "kept");
  write_bytes(kept, "Kept");
  EXPECT_EQ(store().save("snap", scratch() + "/x").error().code, Errc::corrupt);
  EXPECT_FALSE(fs::exists(scratch() + "/x"));
}

TEST_F(SnapshotArchive, TellsHowFarItIs) {
  write_archive();
  std::vector<ImportProgress> seen;
  const auto note = [&](const ImportProgress& progress) { seen.push_back(progress); };
  ASSERT_TRUE(store().save("snap", scratch() + "/x", {.progress = note}).has_value());
  ASSERT_GE(seen.size(), 2U);
  EXPECT_EQ(seen.front().step, ImportProgress::Step::packing);
  EXPECT_EQ(seen.back().step, ImportProgress::Step::syncing);
  EXPECT_EQ(seen.front().bytes_total, store().find("snap")->bytes);
  seen.clear();
  ASSERT_TRUE(other().add(archive(), {.progress = note}).has_value());
  ASSERT_GE(seen.size(), 2U);
  EXPECT_EQ(seen.front().step, ImportProgress::Step::unpacking);
  EXPECT_EQ(seen.back().step, ImportProgress::Step::syncing);
  EXPECT_EQ(seen.back().bytes_total, fs::file_size(archive()));
  EXPECT_GT(seen.back().entries, 10U);
}

// Each is changed alone, in an archive that is good otherwise.
TEST_F(SnapshotArchive, MustHaveWhatItsManifestSaysAndNothingElse) {
  write_archive();
  const std::string good = read_text(archive());
  const TarFile tar = read_tar(good);
  ASSERT_EQ(to_bytes(tar), good);
  const auto rename = [](const std::string& name) {
    return [name](TarMember& m) { m.set_name(name); };
  };
  const std::string image = "images/inventory.img";
  const std::vector<std::pair<std::string, Change>> changes{
      {"a name that climbs", [&](TarFile& t) { member(t, image).set_name("snap/../../canary"); }},
      {"another that climbs", insert_after(image, rename("../canary"))},
      {"an absolute name", [&](TarFile& t) { member(t, image).set_name(canary()); }},
      {"a file beside it", insert_after(image, rename("canary"))},
      {"one more file", insert_after(image, rename("snap/images/more.img"))},
      {"one more file behind all",
       [&](TarFile& t) { t.push_back(TarMember{tar[1]}.set_name("snap/x")); }},
      {"one more directory", insert_after("snap/images/", rename("snap/images/x/"))},
      {"a file twice", insert_after(image, [](TarMember&) {})},
      {"a manifest twice", insert_after("snap/manifest", [](TarMember&) {})},
      {"a symlink for a file",
       [&](TarFile& t) { member(t, image).set_data("").set_type('2').set_link(canary()); }},
      {"a symlink for a directory",
       [&](TarFile& t) { member(t, "snap/images/").set_type('2').set_link(scratch()); }},
      {"a hard link for a file",
       [&](TarFile& t) { member(t, image).set_data("").set_type('1').set_link("snap/manifest"); }},
      {"a hard link out",
       [&](TarFile& t) { member(t, "tree/kept").set_data("").set_type('1').set_link(canary()); }},
      {"a hard link to the manifest",
       [&](TarFile& t) {
         member(t, "tree/kept").set_data("").set_type('1').set_link("snap/manifest");
       }},
      {"a device", [&](TarFile& t) { member(t, image).set_data("").set_type('3'); }},
      {"a fifo", [&](TarFile& t) { member(t, image).set_data("").set_type('6'); }},
      {"a device in a tree",
       [&](TarFile& t) { member(t, "tree/kept").set_data("").set_type('4'); }},
      {"a symlink in a tree",
       [&](TarFile& t) { member(t, "tree/kept").set_data("").set_type('2').set_link(canary()); }},
      {"a directory for a file", [&](TarFile& t) { member(t, image).set_data("").set_type('5'); }},
      {"a file of a tree twice", insert_after("tree/kept", [](TarMember&) {})},
      {"one more file in a tree", insert_after("tree/kept", rename("snap/scratch/0/tree/more"))},
      {"another owner in a tree", [&](TarFile& t) { member(t, "tree/kept").set_owner(1234); }},
      {"another mode in a tree", [&](TarFile& t) { member(t, "tree/kept").set_mode(04755); }},
      {"another content in a tree", [&](TarFile& t) { member(t, "tree/kept").set_data("Kept"); }},
      {"another record", [&](TarFile& t) { member(t, "0/record").set_data("sock-tree 1 0\n"); }},
      {"a longer file", [&](TarFile& t) { member(t, image).set_data(std::string(9999, 'x')); }},
      {"an empty file", [&](TarFile& t) { member(t, image).set_data(""); }},
      {"a size that lies",
       [&](TarFile& t) { member(t, image).set_size(member(t, image).size() + 1); }},
      {"a size beyond all", [&](TarFile& t) { member(t, image).set_size(077777777777); }},
      {"another manifest", [&](TarFile& t) { member(t, "snap/manifest").set_data("{}"); }},
      {"another digest", [&](TarFile& t) { member(t, "snap/digest").set_data("sha256:\n"); }},
      {"another order",
       [&](TarFile& t) { std::swap(member(t, "snap/manifest"), member(t, "snap/digest")); }},
  };
  for (const auto& [what, change] : changes) {
    TarFile changed = tar;
    change(changed);
    ASSERT_NE(to_bytes(changed), good) << what;
    expect_refused(what, to_bytes(changed));
  }
  for (std::size_t left_out = 0; left_out < tar.size(); ++left_out) {
    if (tar[left_out].type() == 'x') continue;  // Says only how the next one's name is written.
    TarFile changed = tar;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(left_out));
    expect_refused("without " + tar[left_out].name(), to_bytes(changed));
  }
  EXPECT_TRUE(add(good).has_value());
}

TEST_F(SnapshotArchive, IsRefusedWhenItIsSomethingElse) {
  expect_refused("nothing", "");
  expect_refused("text", std::string(4096, 'x'));
  expect_refused("zeros", std::string(4096, '\0'));
  TarMember top{.header = std::string(512, '\0'), .data = {}};
  top.header.replace(257, 8, std::string("ustar\00000", 8));
  top.set_mode(0700).set_owner(0).set_size(0).set_type('5');
  for (const char* const name : {"./", "../", "a/b/", "/", ".hidden/", "-x/"})
    expect_refused(name, to_bytes({TarMember{top}.set_name(name)}));
  expect_refused("a file first", to_bytes({TarMember{top}.set_name("snap").set_type('0')}));
  // What says that the manifest is longer than any.
  TarMember manifest = TarMember{top}.set_name("snap/manifest").set_type('0');
  manifest.set_size(1ULL << 32U);
  expect_refused("a long manifest", to_bytes({TarMember{top}.set_name("snap/"), manifest}),
                 Errc::exhausted);
  // A header that goes on and on: a list of holes is read whole before the file.
  std::string endless = "9999999\n";
  while (endless.size() < 12U << 20U) endless += "0\n0\n";
  TarMember pax = TarMember{top}.set_name("x").set_type('x').set_data(
      "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n28 GNU.sparse.realsize=4096\n");
  TarMember sparse = TarMember{top}.set_name("snap/manifest").set_type('0').set_data(endless);
  expect_refused("holes without end", to_bytes({TarMember{top}.set_name("snap/"), pax, sparse}),
                 Errc::exhausted);
}

TEST_F(SnapshotArchive, IsRefusedBeyondItsLimits) {
  write_archive();
  const auto refused = [&](const ImportLimits& limits) {
    const auto added = other().add(archive(), {.limits = limits});
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().code, Errc::exhausted) << added.error().message();
    expect_nothing_came("limits");
  };
  refused({.bytes_max = 100'000});
  refused({.entries_max = 10});
  refused({.name_max = 8});
}

TEST_F(SnapshotArchive, IsRefusedWhereverItIsCutOff) {
  write_archive();
  const std::string good = read_text(archive());
  const std::size_t last_member = good.size() - 1024;
  std::mt19937_64 random{7};
  std::vector<std::size_t> cuts{1, 511, 512, 513, 1024, last_member - 1, last_member - 513};
  for (int i = 0; i < 30; ++i) cuts.push_back(random() % last_member);
  for (const auto cut : cuts)
    if (!add(good.substr(0, cut)).has_value())
      expect_nothing_came("cut at " + std::to_string(cut));
    else
      ADD_FAILURE() << "cut at " << cut;
}

// A flipped bit is found, or it is one that means nothing: then what came is what was written.
TEST_F(SnapshotArchive, IsRefusedWhereABitHasFlippedThatMeansSomething) {
  write_archive();
  const std::string good = read_text(archive());
  const std::string digest = store().find("snap")->digest;
  std::mt19937_64 random{7};
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    // Half of them among the first members, which are headers more than pages.
    const std::size_t at =
        random() % (i % 2 == 0 ? good.size() : std::min<std::size_t>(good.size(), 20'000));
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ (1U << (random() % 8)));
    const auto added = add(flipped, {.name = "flipped"});
    if (!added.has_value()) {
      ++refused;
      expect_nothing_came("flipped at " + std::to_string(at));
      continue;
    }
    EXPECT_EQ(added->digest, digest) << at;
    EXPECT_TRUE(other().verify("flipped")->ok()) << at;
    ASSERT_TRUE(other().remove("flipped").has_value());
  }
  EXPECT_GT(refused, 20);
}

TEST_F(SnapshotArchive, ThatIsImportedTwiceDiffersInNothing) {
  write_archive();
  ASSERT_TRUE(other().add(archive(), {.name = "one"}).has_value());
  ASSERT_TRUE(other().add(archive(), {.name = "two"}).has_value());
  const auto difference = other().diff("one", "two");
  ASSERT_TRUE(difference.has_value()) << difference.error().message();
  EXPECT_TRUE(difference->fields.empty());
  EXPECT_TRUE(difference->files.empty());
  EXPECT_GT(difference->pages.before, 100U);
  EXPECT_EQ(difference->pages.common, difference->pages.before);
  EXPECT_EQ(other().diff("one", "three").error().code, Errc::not_found);
  EXPECT_EQ(other().diff("../one", "two").error().code, Errc::not_found);
}

TEST_F(SnapshotArchive, OfALaterMomentDiffersInWhatHasHappened) {
  Talker original = start(talker_spec("original"));
  checkpoint(original.container, {.name = "one", .origins = {"image:a"}});
  EXPECT_EQ(original.ask("what"), all_of_it);
  checkpoint(original.container, {.name = "two", .origins = {"image:b"}});
  const auto difference = store().diff("one", "two");
  ASSERT_TRUE(difference.has_value()) << difference.error().message();
  using Field = SnapshotDifference::Field;
  EXPECT_EQ(difference->fields,
            (std::vector<Field>{{"origins", R"(["image:a"])", R"(["image:b"])"}}));
  EXPECT_FALSE(difference->files.empty());
  const auto& pages = difference->pages;
  EXPECT_GT(pages.common, pages.before / 2);
  EXPECT_LT(pages.common, std::max(pages.before, pages.after));
}

}  // namespace
}  // namespace sock::test
