#pragma once

// A prefetch at work.

#include <memory>
#include <thread>

#include "sock/fd.hpp"
#include "sock/prefetch.hpp"
#include "sock/result.hpp"

#include "image/prefetch_list.hpp"

namespace sock {

/// The thread's, until it has ended; then the caller's.
struct Prefetch::Impl {
  UniqueFd tree;
  image::PrefetchList list;
  PrefetchOptions options;
  Result<PrefetchReport> outcome;
  std::stop_source stop;
  std::jthread thread;  ///< The last member: it ends before what it uses.

  static Result<std::unique_ptr<Impl>> start(UniqueFd tree, image::PrefetchList list,
                                             const PrefetchOptions& options);
  ~Impl() { stop.request_stop(); }
};

namespace image {

Result<> check_prefetch_options(const PrefetchOptions& options);

}  // namespace image
}  // namespace sock
