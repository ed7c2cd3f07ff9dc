// The documents of an image: what is read, chosen, and refused.

#include "image/manifest.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace sock::image {
namespace {

const ImportLimits limits;
const std::string oci = "application/vnd.oci.image.";
const std::string docker = "application/vnd.docker.";
const std::string manifest_type = oci + "manifest.v1+json";

std::string hash(char digit) {
  return "sha256:" + std::string(64, digit);
}

std::string descriptor(const std::string& type, char digit, const std::string& more = "") {
  return R"({"mediaType":")" + type + R"(","digest":")" + hash(digit) + R"(","size":7)" + more +
         "}";
}

std::string index_of(const std::string& descriptors) {
  return R"({"schemaVersion":2,"manifests":[)" + descriptors + "]}";
}

std::string manifest_of(const std::string& layers,
                        const std::string& config_type = oci + "config.v1+json") {
  return R"({"schemaVersion":2,"config":)" + descriptor(config_type, 'c') + R"(,"layers":[)" +
         layers + "]}";
}

std::string platform(const std::string& os, const std::string& architecture) {
  return R"(,"platform":{"os":")" + os + R"(","architecture":")" + architecture + R"("})";
}

std::string called(const std::string& name) {
  return R"(,"annotations":{"org.opencontainers.image.ref.name":")" + name + R"("})";
}

/// The digit of the digest that is chosen from an index.
Result<char> chosen(const std::string& descriptors, const std::string& reference) {
  const auto parsed = parse_index(index_of(descriptors), limits);
  if (!parsed.has_value()) return std::unexpected(parsed.error());
  const auto found = choose_manifest(*parsed, reference, "amd64");
  if (!found.has_value()) return std::unexpected(found.error());
  return found->digest.hex().front();
}

std::optional<Errc> code_of(const auto& result) {
  return result.has_value() ? std::nullopt : std::optional{result.error().code};
}

TEST(ImageIndex, OfOneImageNeedsNoName) {
  EXPECT_EQ(chosen(descriptor(manifest_type, 'a'), "").value(), 'a');
  EXPECT_EQ(chosen(descriptor(manifest_type, 'a', called("v1")), "").value(), 'a');
}

TEST(ImageIndex, OfSeveralIsAskedByName) {
  const std::string both = descriptor(manifest_type, 'a', called("v1")) + "," +
                           descriptor(manifest_type, 'b', called("v2"));
  EXPECT_EQ(chosen(both, "v2").value(), 'b');
  const auto unnamed = chosen(both, "");
  ASSERT_EQ(code_of(unnamed), Errc::invalid_spec);
  EXPECT_NE(unnamed.error().hint.find("v1 v2"), std::string::npos) << unnamed.error().hint;
  const auto missing = chosen(both, "v3");
  ASSERT_EQ(code_of(missing), Errc::not_found);
  EXPECT_NE(missing.error().hint.find("v1 v2"), std::string::npos) << missing.error().hint;
}

TEST(ImageIndex, KnowsTheNamesOfContainerd) {
  const std::string named =
      R"(,"annotations":{"org.opencontainers.image.ref.name":"v1","io.containerd.image.name":"docker.io/library/app:v1"})";
  EXPECT_EQ(chosen(descriptor(manifest_type, 'a', named), "docker.io/library/app:v1").value(), 'a');
}

TEST(ImageIndex, OfSeveralMachinesGivesThisOne) {
  const std::string both = descriptor(manifest_type, 'a', platform("linux", "arm64")) + "," +
                           descriptor(manifest_type, 'b', platform("linux", "amd64"));
  EXPECT_EQ(chosen(both, "").value(), 'b');
  EXPECT_EQ(code_of(chosen(descriptor(manifest_type, 'a', platform("linux", "arm64")), "")),
            Errc::unsupported);
  EXPECT_EQ(code_of(chosen(descriptor(manifest_type, 'a', platform("windows", "amd64")), "")),
            Errc::unsupported);
}

TEST(ImageIndex, PassesOverWhatIsNoImage) {
  const std::string both = descriptor("application/vnd.dev.sigstore.bundle", 'a', called("v1")) +
                           "," +
                           descriptor(docker + "distribution.manifest.v2+json", 'b', called("v1"));
  EXPECT_EQ(chosen(both, "v1").value(), 'b');
  EXPECT_EQ(code_of(chosen(descriptor("text/plain", 'a'), "")), Errc::not_found);
  EXPECT_EQ(code_of(chosen("", "")), Errc::not_found);
}

TEST(ImageIndex, IsRefusedWhenItIsAnythingElse) {
  for (const std::string& text :
       {std::string{}, std::string{"{"}, std::string{"[]x"}, std::string{"3"},
        std::string{"{\"manifests\":3}"}, index_of("3"), index_of("{}"),
        index_of(descriptor(manifest_type, 'g')),
        index_of(R"({"mediaType":3,"digest":")" + hash('a') + R"(","size":7})"),
        index_of(R"({"mediaType":"x","digest":")" + hash('a') + R"(","size":-7})"),
        index_of(R"({"mediaType":"x","digest":")" + hash('a') + R"(","size":7.5})"),
        index_of(R"({"mediaType":"x","digest":")" + hash('a') + R"(","size":"7"})"),
        index_of(R"({"mediaType":"x","digest":")" + hash('a') +
                 R"(","size":18446744073709551616})"),

        index_of(descriptor(manifest_type, 'a',
                            R"(,"annotations":{"org.opencontainers.image.ref.name":[]})"))})
    EXPECT_EQ(code_of(parse_index(text, limits)), Errc::corrupt) << text;
}

TEST(ImageIndex, KnowsOneKindOfDigest) {
  const std::string sha512 = "sha512:" + std::string(128, 'a');
  EXPECT_EQ(code_of(parse_index(
                index_of(R"({"mediaType":"x","digest":")" + sha512 + R"(","size":7})"), limits)),
            Errc::unsupported);
}

TEST(ImageIndex, IsBounded) {
  const std::string text =
      index_of(descriptor(manifest_type, 'a')) + std::string(limits.document_max, ' ');
  EXPECT_EQ(code_of(parse_index(text, limits)), Errc::exhausted);
  const std::string deep = std::string(100000, '[');
  EXPECT_EQ(code_of(parse_index(deep, limits)), Errc::corrupt);
}

TEST(ImageManifest, NamesAConfigAndLayers) {
  const auto read =
      parse_manifest(manifest_of(descriptor(oci + "layer.v1.tar+gzip", 'a') + "," +
                                 descriptor(docker + "image.rootfs.diff.tar.gzip", 'b')),
                     limits);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->config.digest.to_string(), hash('c'));
  ASSERT_EQ(read->layers.size(), 2U);
  EXPECT_EQ(read->layers[1].digest.to_string(), hash('b'));
  EXPECT_EQ(read->layers[1].size, 7U);
}

TEST(ImageManifest, IsRefusedByTheTypeOfWhatItNames) {
  EXPECT_EQ(
      code_of(parse_manifest(manifest_of(descriptor(oci + "layer.v1.tar+lzma", 'a')), limits)),
      Errc::unsupported);
  EXPECT_EQ(
      code_of(parse_manifest(manifest_of("", "application/vnd.cncf.helm.config.v1+json"), limits)),
      Errc::unsupported);
  const std::string typed =
      R"({"mediaType":")" + oci + R"(index.v1+json","config":{},"layers":[]})";
  EXPECT_EQ(code_of(parse_manifest(typed, limits)), Errc::unsupported);
  EXPECT_EQ(code_of(parse_manifest(R"({"layers":[]})", limits)), Errc::corrupt);
  EXPECT_EQ(code_of(parse_manifest(manifest_of("[]"), limits)), Errc::corrupt);
}

TEST(ImageConfigs, SayHowTheImageWantsToBeRun) {
  const auto read = parse_config(
      R"({"architecture":"amd64","os":"linux","created":"2026-01-01T00:00:00Z",)"
      R"("config":{"Env":["A=1","B="],"Entrypoint":["/e"],"Cmd":["x","y"],"WorkingDir":"/w","User":"app"},)"
      R"("rootfs":{"type":"layers","diff_ids":[")" +
          hash('a') + R"("]}})",
      limits);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->run, (ImageConfig{.env = {"A=1", "B="},
                                    .entrypoint = {"/e"},
                                    .cmd = {"x", "y"},
                                    .workdir = "/w",
                                    .user = "app"}));
  EXPECT_EQ(read->diff_ids.at(0).to_string(), hash('a'));
  EXPECT_TRUE(check_config(*read, 1, "amd64").has_value());
  EXPECT_EQ(code_of(check_config(*read, 2, "amd64")), Errc::corrupt);
  EXPECT_EQ(code_of(check_config(*read, 1, "arm64")), Errc::unsupported);
}

TEST(ImageConfigs, MaySayNothing) {
  // As Docker writes what was not given.
  const auto read = parse_config(
      R"({"config":{"Env":null,"Entrypoint":null,"Cmd":null},"rootfs":{"diff_ids":[")" + hash('a') +
          R"("]}})",
      limits);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->run, ImageConfig{});
  EXPECT_TRUE(check_config(*read, 1, "amd64").has_value());
}

TEST(ImageConfigs, AreRefusedWhenTheyAreAnythingElse) {
  const std::string layers = R"("rootfs":{"diff_ids":[")" + hash('a') + R"("]})";
  for (const std::string& text :
       {std::string{"{}"}, std::string{R"({"rootfs":{"diff_ids":["x"]}})"},
        std::string{R"({"rootfs":{"diff_ids":[3]}})"}, R"({"config":{"Env":"A=1"},)" + layers + "}",
        R"({"config":{"Env":[1]},)" + layers + "}",
        R"({"config":{"Cmd":["a\u0000b"]},)" + layers + "}",
        R"({"config":{"User":"a\u0000b"},)" + layers + "}",
        R"({"config":{"WorkingDir":"\u0000"},)" + layers + "}", R"({"os":7,)" + layers + "}"})
    EXPECT_EQ(code_of(parse_config(text, limits)), Errc::corrupt) << text;
  std::string many;
  for (std::size_t i = 0; i <= limits.layers_max; ++i)
    many += (i > 0 ? ",\"" : "\"") + hash('a') + "\"";
  EXPECT_EQ(code_of(parse_config(R"({"rootfs":{"diff_ids":[)" + many + "]}}", limits)),
            Errc::exhausted);
  EXPECT_EQ(code_of(check_config(Config{.diff_ids = {}}, 0, "amd64")), Errc::corrupt);
  EXPECT_EQ(code_of(check_config(Config{.os = "windows"}, 0, "amd64")), Errc::unsupported);
}

TEST(SavedImages, AreChosenAsPeopleCallThem) {
  const auto saved = parse_saved_images(
      R"([{"Config":"a.json","RepoTags":["docker.io/library/app:latest","app:v1"],"Layers":["1/layer.tar"]},)"
      R"({"Config":"b.json","RepoTags":null,"Layers":[]},)"
      R"({"Config":"c.json","RepoTags":["localhost:5000/app:v2"],"Layers":[]}])",
      limits);
  ASSERT_TRUE(saved.has_value()) << saved.error().message();
  for (const auto* name :
       {"app", "app:latest", "library/app", "docker.io/library/app:latest", "app:v1"})
    EXPECT_EQ(choose_saved_image(*saved, name).value().config, "a.json") << name;
  EXPECT_EQ(choose_saved_image(*saved, "localhost:5000/app:v2").value().config, "c.json");
  EXPECT_EQ(code_of(choose_saved_image(*saved, "app:v2")), Errc::not_found);
  EXPECT_EQ(code_of(choose_saved_image(*saved, "")), Errc::invalid_spec);
  EXPECT_EQ(choose_saved_image({saved->at(1)}, "").value().config, "b.json");
  EXPECT_EQ(code_of(choose_saved_image({}, "")), Errc::not_found);
  for (const auto* text : {"{}", "[3]", "[{}]", R"([{"Config":3}])", R"([{"RepoTags":["a",7]}])",
                           R"([{"Layers":{}}])"})
    EXPECT_EQ(code_of(parse_saved_images(text, limits)), Errc::corrupt) << text;
}

}  // namespace
}  // namespace sock::image
