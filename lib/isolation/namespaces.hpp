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

/// User namespaces by their maps: equal maps share one. Thread-safe.
class UserNamespaces {
 public:
  /// Valid as long as *this. On failure: Stage::namespaces.
  Result<FdRef> find_or_make(const UserNamespace& maps);

 private:
  struct Entry {
    UserNamespace maps;
    UniqueFd fd;
  };
  std::mutex mutex_;  // guards entries_
  std::vector<Entry> entries_;
};

/// Refuses maps that the kernel would refuse, with a better reason. Pure.
Result<> check_maps(const UserNamespace& maps);

}  // namespace sock::isolation
