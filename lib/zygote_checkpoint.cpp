// Zygote::checkpoint(): where zygotes and snapshots meet.

#include "sock/checkpoint.hpp"
#include "sock/zygote.hpp"

#include "base/try.hpp"
#include "checkpoint/zygote_snapshot.hpp"
#include "container/container_impl.hpp"
#include "sys/process.hpp"
#include "zygote/parked.hpp"
#include "zygote/zygote_impl.hpp"

namespace sock {

Result<Snapshot> Zygote::checkpoint(SnapshotStore& store, const CheckpointOptions& options) {
  SOCK_TRY(container::require(impl_));
  SOCK_TRY(container::require(store.impl_));
  const auto written = [&]() -> Result<Snapshot> {
    SOCK_TRY(checkpoint::require_possible(*store.impl_->directory, options));
    const auto deadline = sys::deadline_in(options.deadline);
    const auto parked = SOCK_TRY(zygote::Parked::of(*impl_, deadline));
    return checkpoint::write_zygote_snapshot(
        *store.impl_->directory, options, *impl_->domain,
        {.pidfd = parked.pidfd(), .resumption = parked.resumption(), .files = parked.files()},
        deadline);
  };
  auto snapshot = SOCK_TRY(base::in_stage(Stage::checkpoint, written()));
  if (options.after == CheckpointOptions::After::stop) SOCK_TRY(kill());
  return snapshot;
}

}  // namespace sock
