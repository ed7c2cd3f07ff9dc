// Manifests as text, and back.

#include "checkpoint/manifest.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "checkpoint/spec_json.hpp"

namespace sock::checkpoint {
namespace {

using namespace std::chrono_literals;

ContainerSpec full_spec() {
  ContainerSpec spec{.name = "web",
                     .rootfs = {.base = "/srv/\xff\xfe",
                                .handler = "/srv/handler",
                                .packages = {"/cache/numpy"},
                                .binds = {{"/data", "/data", Access::read_write}},
                                .tmpfs = {{.target = "/scratch", .size_max = 5, .inodes_max = 7}},
                                .shift_owners = true},
                     .argv = {"python3", "-c", "print('\xc3\xa4')", std::string("\x80\x81", 2)},
                     .env = {"A=b"},
                     .cwd = "/data",
                     .hostname = "host",
                     .identity = {.uid = 7, .gid = 8, .groups = {9, 10}}};
  spec.identity.capabilities.emplace_back("cap_net_raw");
  spec.namespaces.mount = MountNamespace::own;
  spec.namespaces.network = Network::loopback();
  spec.resources = {.memory_max = 1,
                    .swap_max = std::nullopt,
                    .cpu_quota = 5ms,
                    .cpu_weight = 3,
                    .pids_max = std::nullopt};
  spec.rlimits = {{"nofile", ~std::uint64_t{0}}};
  spec.init = Init::keeper;
  spec.time_limit = 99ms;
  spec.checkpointable = true;
  return spec;
}

Result<ContainerSpec> written_and_read(const ContainerSpec& spec) {
  return spec_from_json(nlohmann::json::parse(to_json(spec).dump()), "test");
}

TEST(SpecJson, KeepsEveryField) {
  const ContainerSpec spec = full_spec();
  const auto back = written_and_read(spec);
  ASSERT_TRUE(back.has_value()) << back.error().message();
  EXPECT_EQ(back->rootfs, spec.rootfs);
  EXPECT_EQ(back->argv, spec.argv);
  EXPECT_EQ(back->env, spec.env);
  EXPECT_EQ(back->cwd, spec.cwd);
  EXPECT_EQ(back->hostname, spec.hostname);
  EXPECT_EQ(back->identity, spec.identity);
  EXPECT_EQ(back->namespaces, spec.namespaces);
  EXPECT_EQ(back->resources, spec.resources);
  EXPECT_EQ(back->rlimits, spec.rlimits);
  EXPECT_EQ(back->seccomp, spec.seccomp);
  EXPECT_EQ(back->init, spec.init);
  EXPECT_EQ(back->time_limit, spec.time_limit);
  EXPECT_TRUE(back->checkpointable);
}

TEST(SpecJson, KeepsFilters) {
  ContainerSpec spec = full_spec();
  spec.seccomp = *SeccompPolicy::strict();
  const auto strict = written_and_read(spec);
  ASSERT_TRUE(strict.has_value());
  ASSERT_NE(strict->seccomp->program(), nullptr);
  EXPECT_EQ(to_json(*strict), to_json(spec));
  spec.seccomp = SeccompPolicy::none(unsafe::AllowAllSyscalls{});
  const auto none = written_and_read(spec);
  ASSERT_TRUE(none.has_value() && none->seccomp.has_value());
  EXPECT_EQ(none->seccomp->program(), nullptr);
}

// Whatever a field is replaced with, nothing but an error comes of it.
TEST(SpecJson, RefusesWhatItDidNotWrite) {
  const nlohmann::json good = nlohmann::json::parse(to_json(full_spec()).dump());
  for (const auto& [name, value] : good.items()) {
    if (name == "time_limit_ms") continue;  // May be missing.
    for (const nlohmann::json& wrong :
         {nlohmann::json(nullptr), nlohmann::json(-1), nlohmann::json{{"hex", "0"}},
          nlohmann::json::array({1.5})}) {
      nlohmann::json bad = good;
      bad[name] = wrong;
      const auto parsed = spec_from_json(bad, "test");
      EXPECT_FALSE(parsed.has_value()) << name << " " << wrong;
    }
  }
}

Manifest full_manifest() {
  Manifest manifest{.spec = full_spec()};
  manifest.origins = {"app:v1"};
  manifest.created = std::chrono::system_clock::time_point{1'700'000'000s};
  manifest.processes = 3;
  manifest.criu = "4.2.1";
  manifest.machine = {.kernel = "6.18", .architecture = "x86_64", .cpu_features = {"avx"}};
  manifest.mounts = {"/", "/usr"};
  manifest.scratch = {{"/tmp", store::Digest::of("record")}};
  manifest.lent = {{"stdout", "pipe:[7]"}};
  manifest.files = {{"core-1.img", 5, store::Digest::of("five!")},
                    {"pages-1.img", 4, store::Digest::of("four")}};
  return manifest;
}

TEST(Manifest, IsReadAsItWasWritten) {
  const std::string text = full_manifest().to_text();
  const auto back = Manifest::parse(text, "test");
  ASSERT_TRUE(back.has_value()) << back.error().message();
  EXPECT_EQ(back->to_text(), text);
  EXPECT_EQ(back->bytes(), 9U);
  const Snapshot snapshot = describe(*back, "snap", text);
  EXPECT_EQ(snapshot.processes, 3U);
  EXPECT_EQ(snapshot.digest, store::Digest::of(text).to_string());
}

TEST(Manifest, RefusesNamesThatLeadElsewhere) {
  for (const char* const name : {"", ".", "..", "../x", "a/b", ".hidden"}) {
    Manifest manifest = full_manifest();
    manifest.files.front().name = name;
    EXPECT_FALSE(Manifest::parse(manifest.to_text(), "test").has_value()) << name;
  }
  Manifest twice = full_manifest();
  twice.files.push_back(twice.files.back());
  EXPECT_FALSE(Manifest::parse(twice.to_text(), "test").has_value());
}

// A clock counts nanoseconds, in 63 bits.
TEST(Manifest, RefusesTimesThatNoClockKnows) {
  auto value = nlohmann::json::parse(full_manifest().to_text());
  for (const std::uint64_t created : {1ULL << 34U, 1ULL << 63U, ~0ULL}) {
    value["created"] = created;
    EXPECT_EQ(Manifest::parse(value.dump(), "test").error().code, Errc::corrupt) << created;
  }
}

TEST(Manifest, RefusesOtherFormats) {
  auto value = nlohmann::json::parse(full_manifest().to_text());
  value["format"] = 2;
  EXPECT_EQ(Manifest::parse(value.dump(), "test").error().code, Errc::unsupported);
  value["format"] = 0;
  EXPECT_EQ(Manifest::parse(value.dump(), "test").error().code, Errc::corrupt);
  for (const char* const text : {"", "[]", "{}", "null", "{\"format\":1}"})
    EXPECT_EQ(Manifest::parse(text, "test").error().code, Errc::corrupt) << text;
}

}  // namespace
}  // namespace sock::checkpoint
