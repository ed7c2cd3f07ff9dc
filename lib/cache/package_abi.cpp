// Tags of PEP 425, and of file names of extension modules.

#include "cache/package_abi.hpp"

#include <algorithm>
#include <set>

#include <sys/utsname.h>

#include "base/try.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"

namespace sock::cache {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    parts.push_back(text.substr(0, text.find(separator)));
    text.remove_prefix(std::min(text.size(), parts.back().size() + 1));
  }
  return parts;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "cp311": of CPython 3.
bool is_cpython3(std::string_view tag) {
  return tag.size() > 3 && tag.starts_with("cp3") && is_number(tag.substr(3));
}

bool has(const std::vector<std::string_view>& parts, std::string_view tag) {
  return std::ranges::find(parts, tag) != parts.end();
}

// "linux-gnu", "linux-musl", or empty for the platforms of others.
std::string_view system_of(std::string_view platform, const std::string& machine) {
  if (!platform.ends_with("_" + machine)) return {};
  if (platform.starts_with("manylinux") || platform == "linux_" + machine) return "linux-gnu";
  return platform.starts_with("musllinux") ? "linux-musl" : "";
}

std::string machine_abi(std::string_view interpreter, std::string_view system) {
  return std::string{interpreter} + "-" + machine_name() + "-" + std::string{system};
}

// What an extension module's name says: "_x.cpython-311-x86_64-linux-gnu.so", "_x.abi3.so".
std::string interpreter_of(std::string_view name) {
  constexpr std::string_view cpython = ".cpython-3";
  if (name.ends_with(".abi3.so")) return "abi3";
  const auto at = name.find(cpython);
  if (at == std::string_view::npos) return "none";
  const auto digits = name.substr(at + cpython.size());
  return "cp3" + std::string{digits.substr(0, digits.find_first_not_of("0123456789"))};
}

bool is_shared_object(std::string_view name) {
  return name.ends_with(".so") || name.contains(".so.");
}

}  // namespace

std::string machine_name() {
  utsname names{};
  static_cast<void>(::uname(&names));
  return names.machine;
}

Result<std::string> abi_of_tags(const WheelTags& tags, const std::string& file) {
  const auto refuse = [&](const std::string& why) {
    return base::refuse(Errc::unsupported, store::store_stage, file, why);
  };
  const auto pythons = split(tags.python, '.');
  const bool is_for_all = has(pythons, "py3");
  const bool is_for_cpython = std::ranges::any_of(pythons, is_cpython3);
  if (!is_for_all && !is_for_cpython && !std::ranges::any_of(pythons, [](std::string_view tag) {
        return tag.size() > 3 && tag.starts_with("py3") && is_number(tag.substr(3));
      }))
    return refuse("it is for " + tags.python + ", not for CPython 3");
  const auto abis = split(tags.abi, '.');
  const auto own = std::ranges::find_if(abis, is_cpython3);
  std::string_view interpreter;
  if (own != abis.end()) interpreter = *own;
  if (has(abis, "none")) interpreter = "none";
  if (has(abis, "abi3")) interpreter = "abi3";
  if (interpreter.empty()) return refuse("it is for the ABI " + tags.abi);
  const auto platforms = split(tags.platform, '.');
  if (has(platforms, "any")) {
    if (interpreter == "none") return std::string{pure_abi};
    return refuse("an ABI, but no platform");
  }
  const std::string machine = machine_name();
  for (const auto platform : platforms)
    if (const auto system = system_of(platform, machine); !system.empty())
      return machine_abi(interpreter, system);
  return refuse("it is for " + tags.platform + ", and this machine is linux_" + machine);
}

Result<std::string> abi_of_files(const store::TreeRecord& record) {
  std::set<std::string> interpreters;
  for (const auto& [path, entry] : record.entries)
    if (!entry.is_directory() && is_shared_object(store::last_of(path)))
      interpreters.insert(interpreter_of(store::last_of(path)));
  if (interpreters.empty()) return std::string{pure_abi};
  // A library of no interpreter comes beside extension modules.
  if (interpreters.size() > 1) interpreters.erase("none");
  if (interpreters.size() > 1) interpreters.erase("abi3");
  if (interpreters.size() > 1)
    return base::refuse(
        Errc::invalid_spec, store::store_stage, "extension modules",
        "for " + *interpreters.begin() + " and for " + *interpreters.rbegin() + " at once");
  return machine_abi(*interpreters.begin(), "linux-gnu");
}

Result<> check_python(std::string_view python) {
  constexpr std::string_view major = "3.";
  const auto minor = python.substr(std::min(major.size(), python.size()));
  const bool is_version = python.starts_with(major) && !minor.empty() && minor.size() <= 3 &&
                          minor.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_version) return {};
  return base::refuse(Errc::invalid_spec, Stage::validate, "python '" + std::string{python} + "'",
                      "a version like 3.11");
}

bool suits(std::string_view abi, std::string_view python) {
  const auto interpreter = abi.substr(0, abi.find('-'));
  if (!is_cpython3(interpreter)) return true;
  std::string wanted{"cp"};
  std::ranges::copy_if(python, std::back_inserter(wanted), [](char c) { return c != '.'; });
  return interpreter == wanted;
}

}  // namespace sock::cache
