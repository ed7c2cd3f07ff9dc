#pragma once

// Who is killed when memory runs out: whoever is importing, and nobody who has done nothing.

#include <string>

#include "sock/fd.hpp"

namespace sock::zygote {

/// As long as it lives, this process is the first that the kernel chooses in its cgroup. It cannot
/// change that itself where we may set limits for others (KERNEL: who has CAP_SYS_RESOURCE and
/// raises a process's oom_score_adj, raises what that may lower it to). Best effort.
class FirstToDie {
 public:
  explicit FirstToDie(FdRef pidfd);
  ~FirstToDie();
  FirstToDie(const FirstToDie&) = delete;
  FirstToDie& operator=(const FirstToDie&) = delete;

 private:
  UniqueFd process_;    ///< Its directory in /proc; empty: nothing was changed.
  std::string before_;  ///< What its file has said.
};

}  // namespace sock::zygote
