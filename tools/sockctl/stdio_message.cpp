// Stdio as named descriptors.

#include "stdio_message.hpp"

#include <nlohmann/json.hpp>

namespace sockctl {

std::vector<sock::FdRef> put_stdio(nlohmann::json& request, const sock::Stdio& stdio) {
  std::vector<sock::FdRef> fds;
  std::vector<std::string> names;
  const auto pass = [&](const char* name, sock::FdRef fd) {
    if (!fd) return;
    names.emplace_back(name);
    fds.push_back(fd);
  };
  pass("in", stdio.in);
  pass("out", stdio.out);
  pass("err", stdio.err);
  request["fds"] = names;
  if (stdio.terminal)
    request["terminal"] = {{"rows", stdio.terminal->rows}, {"columns", stdio.terminal->columns}};
  return fds;
}

Result<sock::Stdio> stdio_of(const nlohmann::json& request, const Message& message) {
  sock::Stdio stdio;
  if (request.contains("terminal")) {
    const auto& size = request["terminal"];
    stdio.terminal = sock::Terminal{.rows = size.value<std::uint16_t>("rows", 24),
                                    .columns = size.value<std::uint16_t>("columns", 80)};
    return stdio;
  }
  const auto names = request.value("fds", std::vector<std::string>{});
  if (names.size() != message.fds.size())
    return refuse(Errc::corrupt, Stage::validate, "descriptors that do not fit their names");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "in") stdio.in = message.fds[i];
    if (names[i] == "out") stdio.out = message.fds[i];
    if (names[i] == "err") stdio.err = message.fds[i];
  }
  return stdio;
}

}  // namespace sockctl
