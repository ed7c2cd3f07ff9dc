// sockctl zygote doctor: looks at a held zygote from outside, and at two containers forked from it.

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "listing.hpp"
#include "posix.hpp"
#include "process_files.hpp"
#include "report.hpp"
#include "state_dir.hpp"
#include "stdio_message.hpp"
#include "zygote_client.hpp"
#include "zygote_findings.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds answer_time{30};
constexpr std::size_t most_output = 64U << 10U;

// Values that siblings must not share, of modules that are there already.
constexpr const char* random_values = R"(
import os, sys
def show(name, value): print(name, value)
show('urandom', os.urandom(8).hex())
if 'random' in sys.modules: show('random', sys.modules['random'].random())
if 'uuid' in sys.modules: show('uuid4', sys.modules['uuid'].uuid4())
if 'tempfile' in sys.modules: show('tempfile', next(sys.modules['tempfile']._get_candidate_names()))
if 'numpy.random' in sys.modules: show('numpy.random', sys.modules['numpy.random'].random())
if 'ssl' in sys.modules: show('ssl', sys.modules['ssl'].RAND_bytes(8).hex())
)";

struct Trial {
  std::string output;
  std::chrono::nanoseconds fork_time{};
};

Result<Trial> fork_once(const Globals& globals, const nlohmann::json& zygote) {
  const auto name = zygote.value("name", "");
  const auto host = SOCKCTL_TRY(connect_to_holder_of(globals, name));
  auto out = SOCKCTL_TRY(make_pipe());
  RunOptions options;
  options.name = SOCKCTL_TRY(random_name());
  options.command = {"python", "-c", random_values};
  nlohmann::json request{{"verb", "fork"}, {"name", name}, {"options", to_json(options)}};
  const auto fds = put_stdio(request, {.out = out.writer});
  SOCKCTL_TRY(send_message(host, request, fds));
  out.writer.reset();
  const auto deadline = std::chrono::steady_clock::now() + answer_time;
  const auto started = SOCKCTL_TRY(next_zygote_event(host, deadline));
  Trial trial;
  trial.output = SOCKCTL_TRY(read_all(out.reader, most_output));
  SOCKCTL_TRY(next_zygote_event(host, deadline));
  for (const auto& timing : timings_from_json(started.value("timings", nlohmann::json::array())))
    trial.fork_time += timing.elapsed;
  return trial;
}

std::vector<std::string> targets_of_descriptors(pid_t pid) {
  std::vector<std::string> targets;
  std::error_code ignored;
  const fs::path directory = fmt::format("/proc/{}/fd", pid);
  for (const auto& entry : fs::directory_iterator{directory, ignored})
    targets.push_back(fs::read_symlink(entry.path(), ignored));
  return targets;
}

Finding judge_fork(std::chrono::nanoseconds time) {
  return {.name = "fork",
          .outcome = Finding::Outcome::ok,
          .found = fmt::format("{:.1f} ms until the payload is on its own",
                               static_cast<double>(time.count()) / 1e6)};
}

Result<std::vector<Finding>> examine(const Globals& globals, const std::string& name) {
  const auto reply = SOCKCTL_TRY(ask_zygotes(globals, "inspect", {name}));
  const auto zygote = reply.at("zygotes").at(0);
  if (zygote.value("kind", "") == "tree")
    return refuse(Errc::unsupported, Stage::none, name,
                  "it is a tree; sockctl zygote inspect shows the failures of its nodes");
  if (zygote.value("state", "") != "ready")
    return std::vector<Finding>{{.name = "life",
                                 .outcome = Finding::Outcome::failed,
                                 .found = zygote.value("state", ""),
                                 .remedy = "sockctl zygote rm " + name + ", then create it anew"}};
  const pid_t pid = zygote.value("pid", 0);
  auto findings = judge_status(SOCKCTL_TRY(read_process_file(pid, "status")));
  findings.push_back(judge_uid_map(SOCKCTL_TRY(read_process_file(pid, "uid_map"))));
  findings.push_back(judge_descriptors(targets_of_descriptors(pid)));
  const auto one = SOCKCTL_TRY(fork_once(globals, zygote));
  const auto other = SOCKCTL_TRY(fork_once(globals, zygote));
  findings.push_back(judge_fork(std::min(one.fork_time, other.fork_time)));
  findings.push_back(judge_siblings(one.output, other.output));
  return findings;
}

Result<bool> show(Format format, const Globals& globals, const std::string& name) {
  nlohmann::json all = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  bool good = true;
  for (const auto& finding : SOCKCTL_TRY(examine(globals, name))) {
    good = good && finding.outcome != Finding::Outcome::failed;
    rows.push_back({finding.name, outcome_name(finding.outcome), finding.found, finding.remedy});
    all.push_back({{"name", finding.name},
                   {"outcome", outcome_name(finding.outcome)},
                   {"found", finding.found},
                   {"remedy", finding.remedy}});
  }
  SOCKCTL_TRY(print_list(format, all, {{"CHECK"}, {"OUTCOME"}, {"FOUND"}, {"REMEDY"}}, rows));
  return good;
}

}  // namespace

int zygote_doctor(const Globals& globals, const std::string& name) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto good = show(*format, globals, name);
  if (!good.has_value()) return fail(good.error());
  return *good ? 0 : 1;
}

}  // namespace sockctl
