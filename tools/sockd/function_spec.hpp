#pragma once

// What a function is: function.toml in its directory. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sock/import_tree.hpp"

#include "event.hpp"
#include "try.hpp"

namespace sockd {

using sock::Errc;
using sock::Error;
using sock::Result;
using sock::Stage;

/// What a handler is.
enum class FunctionRuntime : std::uint8_t {
  python,  ///< "module:function" below the function's directory; with `wsgi`, an application.
  native,  ///< A shared object in it (sock/handler.h), loaded once and forked.
  exec,    ///< A program in it: one for each call, the event on stdin, the result on stdout.
};
std::string_view to_string(FunctionRuntime runtime);

/// Makes events by the clock.
struct Schedule {
  std::string cron;
  std::string event = {};  ///< JSON; empty: the time and the schedule.
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// Makes an event of each file that comes into a directory of the machine.
struct WatchedDirectory {
  std::string path;             ///< As realpath(3) gives it, once it is deployed.
  std::string at = "/watched";  ///< Where instances see it, read-only.
  friend bool operator==(const WatchedDirectory&, const WatchedDirectory&) = default;
};

struct FunctionSpec {
  FunctionRuntime runtime = FunctionRuntime::python;
  std::string handler;
  std::vector<std::string> arguments = {};  ///< Of a program.
  bool wsgi = false;
  /// With versions, or the newest that the package cache has when the function is registered.
  std::vector<sock::Package> packages = {};
  /// Modules of these packages that are worth having in a zygote beside their top ones:
  /// "PIL.Image".
  std::vector<std::string> imports = {};
  std::uint64_t memory = 128ULL << 20U;      ///< bytes, for each instance
  std::chrono::milliseconds timeout{3'000};  ///< Of one call.
  std::size_t concurrency = 100;             ///< Instances at once.
  /// One instance for each call, or one for many calls, one after another.
  enum class Instances : std::uint8_t { reused, fresh } instances = Instances::reused;
  /// Functions of one application may share zygotes; those of none share them with each other.
  std::string application = {};
  /// What its instances are: containers of its own, or those that the functions of its application
  /// with the same packages share, where each event has a process of its own.
  enum class Sandbox : std::uint8_t { own, application } sandbox = Sandbox::own;
  std::vector<std::string> env = {};  ///< "NAME=value"
  RetryPolicy events = {};            ///< Of calls that nobody waits for.
  std::vector<Schedule> schedules = {};
  std::vector<WatchedDirectory> directories = {};
  friend bool operator==(const FunctionSpec&, const FunctionSpec&) = default;
};

inline constexpr const char* function_file = "function.toml";
inline constexpr std::size_t most_function_text = 64U << 10U;  ///< bytes

/// On failure: Errc::invalid_spec, with the key and what it may be.
Result<FunctionSpec> parse_function(std::string_view toml);
/// [a-zA-Z0-9][a-zA-Z0-9_-]*, at most 64: it is part of paths and URLs.
Result<> check_function_name(std::string_view name);

}  // namespace sockd
