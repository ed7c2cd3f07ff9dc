// sockctl pause and resume.

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

int ask_each(const Globals& globals, const std::vector<std::string>& names, const char* verb) {
  return for_each_entry(globals, names, [&](const Entry& entry) -> Result<> {
    SOCKCTL_TRY(ask(entry, {{"verb", verb}}, action_time));
    return {};
  });
}

}  // namespace

int pause(const Globals& globals, const std::vector<std::string>& names) {
  return ask_each(globals, names, "pause");
}

int resume(const Globals& globals, const std::vector<std::string>& names) {
  return ask_each(globals, names, "resume");
}

}  // namespace sockctl
