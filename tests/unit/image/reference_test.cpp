// What an image may be called, and how its name becomes a file's.

#include "image/reference.hpp"

#include <gtest/gtest.h>

namespace sock::image {
namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

std::string name_of(std::string_view text) {
  const auto parsed = parse_image_name(text);
  return parsed.has_value() ? *parsed : "refused";
}

TEST(ImageName, HasATagOrGetsLatest) {
  EXPECT_EQ(name_of("app"), "app:latest");
  EXPECT_EQ(name_of("app:v1.2_3-4"), "app:v1.2_3-4");
  EXPECT_EQ(name_of("team/app"), "team/app:latest");
  EXPECT_EQ(name_of("a_b.c-d/E"), "a_b.c-d/E:latest");
  EXPECT_EQ(name_of("app:_private"), "app:_private");
}

TEST(ImageName, MayHaveAPortInItsFirstComponentOnly) {
  EXPECT_EQ(name_of("localhost:5000/app"), "localhost:5000/app:latest");
  EXPECT_EQ(name_of("localhost:5000/team/app:v1"), "localhost:5000/team/app:v1");
  EXPECT_EQ(name_of("localhost:5000"), "localhost:5000");  // A tag, as everywhere else.
  for (const auto* text : {"team/app:5000/x", "localhost:/app", "localhost:123456/app",
                           "localhost:50a/app", ":5000/app", "a:1:2/app"})
    EXPECT_EQ(name_of(text), "refused") << text;
}

TEST(ImageName, IsRefusedWithAnythingElse) {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv,      ":"sv,      "app:"sv,       ":tag"sv,     "/app"sv,    "app/"sv,
        "a//b"sv,  "../app"sv, "a/../b"sv,     "."sv,        ".app"sv,    "app."sv,
        "-app"sv,  "app_"sv,   "app:.tag"sv,   "app:-tag"sv, "app:a b"sv, "a pp"sv,
        "app\n"sv, "app\0"sv,  "\xc3\xa4pp"sv, "app%2Fx"sv,  "app@"sv})
    EXPECT_EQ(name_of(text), "refused") << text;
}

TEST(ImageName, FitsIntoAFileName) {
  EXPECT_NE(name_of(std::string(240, 'a')), "refused");
  EXPECT_EQ(name_of(std::string(250, 'a')), "refused");
  EXPECT_EQ(name_of("app:" + std::string(129, 'a')), "refused");
  // A slash takes three bytes there.
  std::string deep = "a";
  for (int i = 0; i < 70; ++i) deep += "/a";
  EXPECT_EQ(name_of(deep), "refused");
}

TEST(ImageName, ComesBackFromItsFile) {
  for (const auto* text : {"app", "localhost:5000/team/app:v1", "a/b/c/d:e"}) {
    const std::string name = name_of(text);
    const std::string file = file_name_of(name);
    EXPECT_EQ(file.find('/'), std::string::npos) << file;
    EXPECT_EQ(image_name_of(file), name);
  }
  for (const auto* file : {"", "app", ".tmp", "app:latest~", "%2Fapp:latest", "..%2Fapp:latest",
                           "app:%2Flatest", "a%2fb:latest"})
    EXPECT_EQ(image_name_of(file), std::nullopt) << file;
}

TEST(Reference, IsANameOrADigestOrBoth) {
  EXPECT_EQ(parse_reference("app").value().name, "app:latest");
  EXPECT_FALSE(parse_reference("app").value().digest.has_value());
  const auto both = parse_reference("app:v1@" + digest).value();
  EXPECT_EQ(both.name, "app:v1");
  EXPECT_EQ(both.digest->to_string(), digest);
  const auto alone = parse_reference("@" + digest).value();
  EXPECT_EQ(alone.name, "");
  EXPECT_EQ(alone.digest->to_string(), digest);
}

TEST(Reference, IsRefusedWithAnotherDigest) {
  for (const auto& text :
       {std::string{}, std::string{"@"}, std::string{"app@"}, "app@" + digest + "a",
        "app@" + digest.substr(0, 70), "app@sha512:" + std::string(128, 'a'),
        "app@sha256:" + std::string(64, 'A'), "app@" + digest + "@" + digest, "a b@" + digest})
    EXPECT_FALSE(parse_reference(text).has_value()) << text;
}

TEST(ImageName, IsMadeFromAPathWhereThereIsNone) {
  EXPECT_EQ(name_from_path("/srv/images/app.tar", ""), "app:latest");
  EXPECT_EQ(name_from_path("app.oci", "v1"), "app:v1");
  EXPECT_EQ(name_from_path("/srv/my root/", ""), "my-root:latest");
  EXPECT_EQ(name_from_path("/", ""), "image:latest");
  EXPECT_EQ(name_from_path("...", "no tag"), "image:latest");
  EXPECT_EQ(name_from_path(std::string(500, 'a') + "/" + std::string(99, 'b') + "--c", ""),
            std::string(99, 'b') + ":latest");
}

// Whatever it is made from, it can be used.
TEST(ImageName, MadeFromAPathIsAName) {
  for (int first = 1; first < 256; ++first)
    for (const char second : {'a', '-', '.', '/', '\xff'}) {
      const std::string path{static_cast<char>(first), second, 'x', static_cast<char>(first)};
      const std::string name = name_from_path(path, path);
      EXPECT_EQ(name_of(name), name) << path;
    }
}

}  // namespace
}  // namespace sock::image
