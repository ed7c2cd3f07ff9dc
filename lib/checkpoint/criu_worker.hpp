#pragma once

// A CRIU process that serves us over a socket pair (`criu swrk`): no state is kept between two of
// them, and none in this process, as CRIU's own library would.

#include <functional>
#include <string>
#include <vector>

#include "sock/result.hpp"

#include "checkpoint/criu_message.hpp"
#include "sys/process.hpp"
#include "sys/worker_process.hpp"

namespace sock::checkpoint {

/// The program to run: `configured` if it is not empty, else the first that is there of those that
/// this library was built for and the usual ones. On failure: Errc::not_found.
Result<std::string> find_criu(const std::string& configured);

/// Asks it whether it can work on this kernel; its version. On failure: Errc::not_found, or
/// Errc::unsupported with its own words. Blocking: 50 ms, or much longer for the first time.
Result<std::string> probe_criu(const std::string& configured);

/// Why it could not, in its own words: of its log in `work`, or of its answer.
std::string words_of_criu(FdRef work, const Result<Response>& response);

/// Ends with the handle, whatever it is doing. Thread-bound.
class CriuWorker {
 public:
  struct Setting {
    std::vector<sys::WorkerSpec::Passed> descriptors = {};  ///< None of them as 3.
    std::function<Result<>()> prepare = {};                 ///< See sys::WorkerSpec.
  };
  static Result<CriuWorker> start(const std::string& program, Setting setting);

  /// Called while everything is stopped and written; an error undoes the dump.
  using WhenDumped = std::function<Result<>()>;
  /// Errc::timed_out at the deadline; Errc::closed when it died.
  Result<Response> ask(const std::string& request, sys::Deadline deadline,
                       const WhenDumped& when_dumped = {});

 private:
  CriuWorker(UniqueFd socket, sys::WorkerProcess process) noexcept
      : socket_{std::move(socket)}, process_{std::move(process)} {}
  Result<Response> next_response(sys::Deadline deadline);

  UniqueFd socket_;
  sys::WorkerProcess process_;
};

}  // namespace sock::checkpoint
