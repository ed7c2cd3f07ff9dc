// Images beyond the limits that an import is given: a named error, and nothing of them is left.

#include "sock/image.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

class ImportLimit : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    auto opened = ImageStore::open({.directory = scratch() + "/store"});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    store_.emplace(std::move(*opened));
  }

  /// An archive as `docker save` writes it, whose layers are what each of these commands of a shell
  /// prints.
  void make_image(const std::vector<std::string>& layers) {
    std::string script = "set -e; rm -rf '" + scratch() + "/image'; mkdir '" + scratch() +
                         "/image'; cd '" + scratch() +
                         "/image'; ids=; names=; add() { ids=\"$ids,\\\"sha256:$(gzip -dcf <$1 | " +
                         "sha256sum | cut -c-64)\\\"\"; names=\"$names,\\\"$1\\\"\"; }; ";
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string name = "layer" + std::to_string(i);
      script += "(" + layers[i] + ") >" + name + "; add " + name + "; ";
    }
    script +=
        "printf '{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}' \"${ids#,}\" >config; "
        "printf '[{\"Config\":\"config\",\"Layers\":[%s]}]' \"${names#,}\" >manifest.json; "
        "tar -cf ../image.tar manifest.json config layer*";
    ASSERT_EQ(std::system(script.c_str()), 0) << script;
  }
  Result<Image> import(const ImportLimits& limits) {
    return store_->add(
        {.kind = ImageSource::Kind::docker_archive, .path = scratch() + "/image.tar"},
        {.name = "t", .limits = limits});
  }
  void expect_refused(const ImportLimits& limits, const std::string& limit) {
    const auto image = import(limits);
    ASSERT_FALSE(image.has_value()) << limit;
    EXPECT_EQ(image.error().code, Errc::exhausted) << image.error().message();
    EXPECT_NE(image.error().stage, Stage::none) << image.error().message();
    EXPECT_NE(image.error().message().find(limit), std::string::npos) << image.error().message();
    EXPECT_TRUE(store_->list().value().empty());
    for (const char* part : {"layers", "roots", "documents", "staging"})
      EXPECT_TRUE(fs::is_empty(scratch() + "/store/" + part)) << part;
  }
  void expect_taken(const ImportLimits& limits) {
    const auto image = import(limits);
    ASSERT_TRUE(image.has_value()) << image.error().message();
    EXPECT_TRUE(store_->verify("t").value().ok());
    ASSERT_TRUE(store_->remove("t").has_value());
    ASSERT_TRUE(store_->gc().has_value());
  }

 private:
  std::optional<ImageStore> store_;
};

TEST_F(ImportLimit, CountsFilesOfAllLayersAndDirectoriesThatNoEntryDescribes) {
  make_image({"mkdir a; touch a/1 a/2 a/3; tar -c a", "mkdir b; touch b/1 b/2 b/3; tar -c b"});
  expect_refused({.entries_max = 7}, "entries_max");
  expect_taken({.entries_max = 8});
  make_image({"mkdir -p a/b/c/d/e; touch a/b/c/d/e/f; tar -c a/b/c/d/e/f"});
  expect_refused({.entries_max = 5}, "entries_max");
  expect_taken({.entries_max = 6});
}

TEST_F(ImportLimit, CountsBytesOfAllLayersAndOfHoles) {
  make_image({"head -c 50000 /dev/zero >f; tar -c f", "head -c 50000 /dev/zero >g; tar -c g"});
  expect_refused({.bytes_max = 90'000}, "bytes_max");
  expect_taken({.bytes_max = 200'000});
  make_image({"truncate -s 100000000 f; tar --sparse -c f"});
  expect_refused({.bytes_max = 99'999'999}, "bytes_max");
  expect_taken({.bytes_max = 100'000'000});
}

TEST_F(ImportLimit, CountsBytesBehindTheEndOfAnArchive) {
  // What is unpacked costs time, whether anything is written of it or not.
  const std::string layer = "(echo x >f; tar -c f; head -c 60000000 /dev/zero) | gzip -9";
  make_image({layer});
  expect_refused({.bytes_max = 59'000'000}, "bytes_max");
  expect_taken({.bytes_max = 61'000'000});
  make_image({layer, "(echo y >f; tar -c f; head -c 60000000 /dev/zero) | gzip -9"});
  expect_refused({.bytes_max = 61'000'000}, "bytes_max");
  expect_taken({});
}

TEST_F(ImportLimit, CountsDirectoriesAboveAFile) {
  make_image({"mkdir -p a/b/c; touch a/b/c/f; tar -c a"});
  expect_refused({.depth_max = 2}, "depth_max");
  expect_taken({.depth_max = 3});
  // A path of tens of thousands of them, where only one of both is limited.
  make_image(
      {R"(p=$(printf 'd/%.0s' $(seq 50000)); touch f; tar --format=pax -c --transform "s,^,$p," f)"});
  expect_refused({.path_max = 1'000'000}, "depth_max");
  expect_refused({.depth_max = 1'000'000}, "path_max");
}

}  // namespace
}  // namespace sock::test
