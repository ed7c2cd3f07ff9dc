// The payload's descriptors.

#include "container/standard_fds.hpp"

namespace sock::container {

std::vector<int> payload_fds(const Stdio& stdio,
                             const std::optional<isolation::TerminalPair>& terminal,
                             const std::vector<NamedFd>& named) {
  std::vector<int> fds{stdio.in.get(), stdio.out.get(), stdio.err.get()};
  if (terminal) fds.assign(3, terminal->slave.get());
  for (const NamedFd& item : named) fds.push_back(item.fd.get());
  return fds;
}

std::string names_of(const std::vector<NamedFd>& named) {
  std::string text = "SOCK_FDS=";
  for (const NamedFd& item : named) {
    if (!text.ends_with('=')) text += ':';
    text += item.name;
  }
  return text;
}

}  // namespace sock::container
