// Where stores are.

#include "store_place.hpp"

namespace sockctl {

Result<std::string> choose_store(const StorePlace& place, const std::string& given,
                                 const Caller& caller) {
  const auto variable = [&](const char* name) { return caller.variable(name).value_or(""); };
  const std::string leaf = std::string{"/sock/"} + place.leaf;
  std::string chosen = given;
  if (chosen.empty()) chosen = variable(place.variable);
  if (chosen.empty() && caller.uid == 0) chosen = "/var/lib" + leaf;
  if (const auto data = variable("XDG_DATA_HOME"); chosen.empty() && !data.empty())
    chosen = data + leaf;
  if (const auto home = variable("HOME"); chosen.empty() && !home.empty())
    chosen = home + "/.local/share" + leaf;
  if (chosen.empty() || chosen.front() != '/')
    return refuse_option(place.option, chosen, "an absolute directory");
  while (chosen.size() > 1 && chosen.back() == '/') chosen.pop_back();
  return chosen;
}

}  // namespace sockctl
