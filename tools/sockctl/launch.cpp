// The filter and the network of a container.

#include "launch.hpp"

#include <fcntl.h>

#include "parse.hpp"
#include "posix.hpp"

namespace sockctl {

Result<Launch> prepare_launch(const RunOptions& options, const Caller& caller) {
  auto spec = SOCKCTL_TRY(to_spec(options, caller));
  Launch launch{.spec = std::move(spec), .network = {}};
  auto& network = launch.spec.namespaces.network;
  const auto choice = SOCKCTL_TRY(parse_network(options.net));
  if (choice.kind == sock::Network::Kind::host) {
    network = sock::Network::host(sock::unsafe::HostNetwork{});
  } else if (choice.kind == sock::Network::Kind::join && choice.fd >= 0) {
    network = sock::Network::join(sock::FdRef{choice.fd});
  } else if (choice.kind == sock::Network::Kind::join) {
    launch.network = SOCKCTL_TRY(open_at(here, choice.path, O_RDONLY | O_NONBLOCK));
    network = sock::Network::join(launch.network);
  }
  const Filter filter = SOCKCTL_TRY(parse_filter(options.seccomp));
  if (filter == Filter::strict) launch.spec.seccomp = SOCKCTL_TRY(sock::SeccompPolicy::strict());
  if (filter == Filter::unconfined)
    launch.spec.seccomp = sock::SeccompPolicy::none(sock::unsafe::AllowAllSyscalls{});
  return launch;
}

}  // namespace sockctl
