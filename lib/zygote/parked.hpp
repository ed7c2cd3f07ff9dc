#pragma once

// A zygote that stands still to be written down (zygote/server/park.hpp).

#include <string>

#include "sock/result.hpp"
#include "sock/zygote.hpp"

#include "wire/process_image.hpp"
#include "zygote/peer.hpp"

namespace sock::zygote {

/// Move-only; ended by its destructor.
class Parked {
 public:
  /// Forks one off. On failure: Stage::fork, and nothing is left. Blocking: until it stands still;
  /// the hooks of packages run first, at most until the deadline.
  static Result<Parked> of(Zygote::Impl& zygote, Deadline deadline);
  Parked(Parked&&) noexcept = default;
  Parked& operator=(Parked&&) = delete;
  ~Parked();

  [[nodiscard]] FdRef pidfd() const noexcept { return pidfd_; }
  [[nodiscard]] const wire::image::Resumption& resumption() const noexcept { return resumption_; }
  /// wire::Field::files
  [[nodiscard]] const std::string& files() const noexcept { return files_; }

 private:
  explicit Parked(Peer channel) noexcept : channel_{std::move(channel)} {}
  Result<> await(const Zygote::Impl& zygote, Deadline deadline);

  Peer channel_;
  UniqueFd pidfd_;
  wire::image::Resumption resumption_{};
  std::string files_;
};

}  // namespace sock::zygote
