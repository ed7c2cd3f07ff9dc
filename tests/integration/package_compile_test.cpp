// Packages with bytecode: what an interpreter adds, and what one that lies cannot.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include "package_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

const Package demo{"demo", "1.0"};
const std::string modules = "/packages/demo/1.0/site-packages";

class CompiledPackages : public Packages {
 protected:
  CompileSpec python3() const {
    CompileSpec spec{.container = shell(""), .python = "3.11"};
    spec.container.argv = {"/usr/bin/python3"};
    return spec;
  }

  /// A shell instead of the interpreter: it says that it is Python 3.11. $0 is -I.
  CompileSpec script(const std::string& text) const {
    CompileSpec spec{.container = shell(""), .python = "3.11"};
    spec.container.argv = {"/bin/sh", "-c", "cd /out && mkdir -p ." + modules + " && " + text};
    return spec;
  }

  Result<CachedPackage> compile(const CompileSpec& spec) {
    return cache().compile(host(), CachedPackage{.package = demo, .abi = "none-any"}, spec);
  }

  Result<PackagesInUse> use() { return cache().use({.packages = {demo}, .python = "3.11"}); }

  /// Where the code of the module demo comes from, as `python3 -v` says.
  bool is_read_from_bytecode(const PackagesInUse& packages) {
    ContainerSpec spec = shell("");
    spec.argv = {"/usr/bin/python3", "-v", "-c", "import demo; print(demo.value)"};
    EXPECT_TRUE(packages.declare(spec.rootfs, spec.env).has_value());
    const auto outcome = run(spec);
    EXPECT_EQ(outcome.out, "7\n") << outcome.err;
    return outcome.err.contains("code object from '" + modules +
                                "/__pycache__/demo.cpython-311.pyc'");
  }

  /// What is known of it, and its files.
  CachedPackage stored() { return cache().find(demo).value().front(); }
  std::size_t trees() {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator{scratch() + "/cache/trees"}, {}));
  }
  bool is_staging_empty() { return fs::is_empty(scratch() + "/cache/staging"); }
};

constexpr const char* two_modules =
    "echo 'value = 7' > /out/demo.py; mkdir /out/sub; "
    "echo 'x = 1' > /out/sub/more.py; echo text > /out/sub/no.txt";

TEST_F(CompiledPackages, AreImportedFromTheirBytecode) {
  const auto installed = install(two_modules);
  ASSERT_TRUE(installed.has_value()) << installed.error().message();
  EXPECT_FALSE(is_read_from_bytecode(use().value()));
  const auto compiled = compile(python3());
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message();
  EXPECT_EQ(compiled->compiled, std::vector<std::string>{"3.11"});
  EXPECT_EQ(compiled->entries, installed->entries + 4) << "two directories, two files";
  EXPECT_GT(compiled->bytes, installed->bytes);
  EXPECT_EQ(stored(), *compiled);
  const auto used = use();
  ASSERT_TRUE(used.has_value()) << used.error().message();
  EXPECT_TRUE(is_read_from_bytecode(*used));
  EXPECT_TRUE(cache().verify(*compiled).value().ok());
  EXPECT_EQ(trees(), 1U) << "the files without bytecode are nobody's";
  EXPECT_TRUE(is_staging_empty());
}

TEST_F(CompiledPackages, AreCompiledOnce) {
  const std::string directory = scratch() + "/demo";
  fs::create_directory(directory);
  std::ofstream{directory + "/demo.py"} << "value = 7\n";
  const PackageSource source{
      .kind = PackageSource::Kind::directory, .paths = {directory}, .package = demo};
  ASSERT_TRUE(cache().add(source).has_value());
  const auto first = compile(python3());
  ASSERT_TRUE(first.has_value()) << first.error().message();
  // The second does not even start.
  const auto second = compile(script("exit 9"));
  ASSERT_TRUE(second.has_value()) << second.error().message();
  EXPECT_EQ(*second, *first);
  // What is taken in again is what is there, with its bytecode.
  const auto again = cache().add(source);
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(trees(), 1U) << "the files without bytecode are nobody's";
  std::ofstream{directory + "/demo.py"} << "value = 8\n";
  const auto other = cache().add(source);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, Errc::exists);
}

TEST_F(CompiledPackages, MayHaveTheSameFilesAsOthers) {
  const std::string directory = scratch() + "/demo";
  fs::create_directory(directory);
  std::ofstream{directory + "/demo.py"} << "value = 7\n";
  for (const char* const version : {"1.0", "1.1"}) {
    const auto added = cache().add({.kind = PackageSource::Kind::directory,
                                    .paths = {directory},
                                    .package = Package{"demo", version}});
    ASSERT_TRUE(added.has_value()) << added.error().message();
  }
  ASSERT_EQ(trees(), 1U) << "they share one";
  ASSERT_TRUE(compile(python3()).has_value());
  const Package other{"demo", "1.1"};
  EXPECT_TRUE(cache().use({.packages = {other}, .python = "3.11"}).has_value());
  const auto compiled =
      cache().compile(host(), CachedPackage{.package = other, .abi = "none-any"}, python3());
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message();
  EXPECT_TRUE(cache().verify(*compiled).value().ok());
  EXPECT_TRUE(is_read_from_bytecode(use().value()));
  EXPECT_EQ(trees(), 2U) << "each has its own, and the one without bytecode is nobody's";
}

TEST_F(CompiledPackages, AreCompiledByOneOfThoseWhoTryAtOnce) {
  ASSERT_TRUE(install(two_modules).has_value());
  const auto attempt = [&](const char* name) {
    CompileSpec spec = python3();
    spec.container.name = name;
    return compile(spec);
  };
  auto other = std::async(std::launch::async, attempt, "other");
  const auto mine = attempt("mine");
  const auto theirs = other.get();
  ASSERT_TRUE(mine.has_value()) << mine.error().message();
  ASSERT_TRUE(theirs.has_value()) << theirs.error().message();
  EXPECT_EQ(*mine, *theirs);
  EXPECT_EQ(trees(), 1U);
}

TEST_F(CompiledPackages, AreCompiledForSeveralInterpretersAtOnce) {
  ASSERT_TRUE(install("echo 'value = 7' > /out/demo.py").has_value());
  auto other = std::async(std::launch::async, [&] {
    CompileSpec spec = script(R"(printf 'abcd\001\000\000\000abcdefghcode' > .)" + modules +
                              "/demo.cpython-312.pyc");
    spec.python = "3.12";
    spec.container.name = "other";
    return compile(spec);
  });
  const auto mine = compile(python3());
  const auto theirs = other.get();
  ASSERT_TRUE(mine.has_value()) << mine.error().message();
  ASSERT_TRUE(theirs.has_value()) << theirs.error().message();
  auto versions = stored().compiled;
  std::ranges::sort(versions);
  EXPECT_EQ(versions, (std::vector<std::string>{"3.11", "3.12"}));
  EXPECT_EQ(stored().entries, 6U) << "three directories, a module, two files of bytecode";
  EXPECT_TRUE(is_read_from_bytecode(use().value()));
  EXPECT_TRUE(cache().verify(stored()).value().ok());
}

TEST_F(CompiledPackages, StayAsTheyWereForThoseWhoUseThem) {
  ASSERT_TRUE(install(two_modules).has_value());
  {
    const auto before = use().value();
    ASSERT_TRUE(compile(python3()).has_value());
    EXPECT_FALSE(is_read_from_bytecode(before));
    EXPECT_TRUE(is_read_from_bytecode(use().value()));
    EXPECT_EQ(cache().gc().value().in_use, 1U);
  }
  EXPECT_EQ(cache().gc().value().trees, 1U);
  EXPECT_TRUE(cache().verify(stored()).value().ok());
}

TEST_F(CompiledPackages, MayHaveModulesThatDoNotCompile) {
  ASSERT_TRUE(install("echo 'value = 7' > /out/demo.py; echo 'print 1' > /out/old.py").has_value());
  const auto compiled = compile(python3());
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message();
  EXPECT_TRUE(is_read_from_bytecode(use().value()));
  EXPECT_EQ(python(use().value(), "import old").status.value, 1);
}

TEST_F(CompiledPackages, KeepTheBytecodeThatTheyCameWith) {
  const auto installed = install(
      "cd /out; echo 'value = 7' > demo.py; mkdir __pycache__; "
      "echo theirs > __pycache__/demo.cpython-311.pyc; echo 'x = 1' > more.py");
  ASSERT_TRUE(installed.has_value()) << installed.error().message();
  const auto compiled = compile(python3());
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message();
  EXPECT_EQ(compiled->entries, installed->entries + 1);
  const auto kept = python(
      use().value(), "print(open('" + modules + "/__pycache__/demo.cpython-311.pyc').read())");
  EXPECT_EQ(kept.out, "theirs\n\n") << kept.err;
}

TEST_F(CompiledPackages, TakeNothingElseFromAnInterpreter) {
  const auto installed = install("echo 'value = 7' > /out/demo.py; echo 'x = 1' > /out/more.py");
  ASSERT_TRUE(installed.has_value());
  const auto compiled = compile(script(
      "echo evil > evil.py && echo evil > ." + modules + "/evil.cpython-311.pyc && " +
      "echo evil > ." + modules + "/demo.cpython-312.pyc && ln -s /etc/passwd ." + modules +
      "/demo.cpython-311.pyc && mkdir -p ./packages/other/1.0/site-packages && " +
      R"(printf 'abcd\001\000\000\000abcdefghcode' > .)" + modules + "/more.cpython-311.pyc"));
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message();
  EXPECT_EQ(compiled->entries, installed->entries + 2) << "a directory, and the bytecode of one";
  EXPECT_TRUE(cache().verify(stored()).value().ok());
}

TEST_F(CompiledPackages, AreLeftAloneByAnInterpreterThatFails) {
  const auto installed = install("echo 'value = 7' > /out/demo.py");
  ASSERT_TRUE(installed.has_value());
  const std::string bytecode = "." + modules + "/demo.cpython-311.pyc";
  const std::vector<std::tuple<std::string, Errc>> scripts{
      {"exit 2", Errc::launch_failed},
      {"kill -9 $$", Errc::launch_failed},
      {"exit 1", Errc::launch_failed},
      {"true", Errc::launch_failed},
      {"echo for another version > ." + modules + "/demo.cpython-312.pyc", Errc::launch_failed},
      {"echo no bytecode > " + bytecode, Errc::corrupt},
      {"head -c 100 /dev/zero > " + bytecode, Errc::corrupt},
      {"mkfifo " + bytecode, Errc::corrupt},
      {"mkdir " + bytecode, Errc::corrupt},
      {"truncate -s 1T " + bytecode, Errc::corrupt},
      {"while :; do :; done", Errc::timed_out},
  };
  for (const auto& [text, expected] : scripts) {
    CompileSpec spec = script(text);
    spec.deadline = std::chrono::milliseconds{expected == Errc::timed_out ? 200 : 20'000};
    const auto failed = compile(spec);
    ASSERT_FALSE(failed.has_value()) << text;
    EXPECT_EQ(failed.error().code, expected) << text << ": " << failed.error().message();
    EXPECT_EQ(stored(), *installed) << text;
    EXPECT_TRUE(is_staging_empty()) << text;
  }
  EXPECT_EQ(trees(), 1U);
  EXPECT_TRUE(cache().verify(stored()).value().ok());
}

TEST_F(CompiledPackages, AreBounded) {
  ASSERT_TRUE(install(two_modules).has_value());
  CompileSpec spec = python3();
  spec.limits.bytes_max = 100;
  const auto large = compile(spec);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, Errc::exhausted) << large.error().message();
  EXPECT_TRUE(stored().compiled.empty());
}

TEST_F(CompiledPackages, MustBeThereAndForThatInterpreter) {
  EXPECT_EQ(compile(python3()).error().code, Errc::not_found);
  ASSERT_TRUE(install("echo > /out/demo.cpython-39-x86_64-linux-gnu.so").has_value());
  const auto other = cache().compile(host(), stored(), python3());
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, Errc::unsupported) << other.error().message();
  CompileSpec spec = python3();
  for (const char* const version : {"", "3", "3.", "2.7", "3.11.2", "3.x", "3.11/../../x"}) {
    spec.python = version;
    const auto refused = cache().compile(host(), stored(), spec);
    ASSERT_FALSE(refused.has_value()) << version;
    EXPECT_EQ(refused.error().code, Errc::invalid_spec) << version;
  }
}

TEST_F(CompiledPackages, MayBeRemovedMeanwhile) {
  ASSERT_TRUE(install("echo 'value = 7' > /out/demo.py").has_value());
  const std::string sync = scratch() + "/sync";
  fs::create_directory(sync);
  fs::permissions(sync, fs::perms::all);
  CompileSpec spec = script(
      "echo > /sync/started; while [ ! -e /sync/go ]; do :; done; "
      R"(printf 'abcd\001\000\000\000abcdefghcode' > .)" +
      modules + "/demo.cpython-311.pyc");
  spec.container.rootfs.binds.push_back(
      {.source = fs::canonical(sync), .target = "/sync", .access = Access::read_write});
  auto compiling = std::async(std::launch::async, [&] { return compile(spec); });
  while (!fs::exists(sync + "/started") &&
         compiling.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready) {
  }
  ASSERT_TRUE(cache().remove(stored()).has_value());
  std::ofstream{sync + "/go"}.close();
  const auto failed = compiling.get();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::not_found) << failed.error().message();
  EXPECT_TRUE(cache().list().value().empty());
  EXPECT_EQ(cache().gc().value().in_use, 0U);
}

}  // namespace
}  // namespace sock::test
