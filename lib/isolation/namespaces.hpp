#pragma once

// Namespaces that are made once per Host and entered by many containers: entering costs a few
// microseconds, making one up to half a millisecond.

#include <memory>
#include <mutex>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock::isolation {

/// A mount namespace with nothing in it but an empty, read-only tmpfs that has one directory,
/// `attach_point`; and a network namespace whose loopback is down.
struct EmptyNamespaces {
  UniqueFd mount;
  UniqueFd network;
};
inline constexpr const char* attach_point = "/root";

/// With a user namespace, both belong to it (a Host without privilege).
Result<EmptyNamespaces> make_empty_namespaces(FdRef user_namespace);

/// A network namespace with nothing in it but a loopback, and nobody. On failure:
/// Stage::namespaces.
enum class Loopback : bool { down, up };
Result<UniqueFd> make_network_namespace(Loopback loopback);

/// A new user namespace with these maps, and nobody in it. On failure: Stage::namespaces.
Result<UniqueFd> make_user_namespace(const UserNamespace& maps);

/// One that is there as long as somebody has it.
using SharedNamespace = std::shared_ptr<const UniqueFd>;

inline FdRef fd_of(const SharedNamespace& shared) {
  return shared ? shared->ref() : FdRef{};
}

/// User namespaces by their maps: equal maps share one. A few that nobody has are kept for the next
/// who asks. Thread-safe.
class UserNamespaces {
 public:
  /// On failure: Stage::namespaces.
  Result<SharedNamespace> find_or_make(const UserNamespace& maps);
  /// Nobody will ask for these maps any more: not kept for the next.
  void forget(const UserNamespace& maps);

 private:
  struct Entry {
    UserNamespace maps;
    SharedNamespace fd;
  };
  void forget_idle();

  std::mutex mutex_;            // guards entries_
  std::vector<Entry> entries_;  ///< Those that were asked for last are at the end.
};

/// Refuses maps that the kernel would refuse, with a better reason. Pure.
Result<> check_maps(const UserNamespace& maps);

}  // namespace sock::isolation
