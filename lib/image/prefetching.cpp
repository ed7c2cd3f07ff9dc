// Prefetch: the public handle, and its thread.

#include "image/prefetching.hpp"

#include <algorithm>
#include <new>

#include <fcntl.h>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "loader/loader.hpp"
#include "sys/file.hpp"
#include "sys/page_cache.hpp"
#include "sys/thread.hpp"

namespace sock {

using image::image_stage;

namespace {

constexpr std::size_t sample_size = 16;  // Files; asking for one takes some microseconds.

std::uint64_t overlap(const loader::ByteRange& wanted, const sys::CachedRange& cached) {
  const std::uint64_t begin = std::max(wanted.offset, cached.offset);
  const std::uint64_t end = std::min(wanted.offset + wanted.length, cached.offset + cached.length);
  return end > begin ? end - begin : 0;
}

bool is_cached(FdRef tree, const loader::FileRanges& wanted) {
  const auto file = sys::open_beneath(tree, wanted.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.has_value()) return true;  // Nothing to be done about it.
  const auto cached = sys::cached_ranges(*file);
  if (!cached.has_value()) return false;
  return std::ranges::all_of(wanted.ranges, [&](const auto& range) {
    std::uint64_t there = 0;
    for (const auto& part : *cached) there += overlap(range, part);
    return there == range.length;
  });
}

/// Files spread over the list are all in memory.
bool is_warm(FdRef tree, const image::PrefetchList& list) {
  const std::size_t step = std::max<std::size_t>(1, list.files.size() / sample_size);
  for (std::size_t i = 0; i < list.files.size(); i += step)
    if (!is_cached(tree, list.files[i])) return false;
  return true;
}

struct Engine {
  std::unique_ptr<loader::Loader> loader;
  LoadEngine kind;
};

Result<Engine> make_engine(const PrefetchOptions& options) {
  const loader::LoaderOptions limits{.parallel = options.parallel};
  if (options.engine != LoadEngine::threads) {
    auto ring = loader::make_ring_loader(limits);
    if (ring.has_value()) return Engine{std::move(*ring), LoadEngine::io_uring};
    if (options.engine == LoadEngine::io_uring)
      return base::refuse(Errc::unsupported, image_stage, "io_uring",
                          "the kernel is older than 5.19, or it is switched off");
  }
  return Engine{loader::make_thread_loader(limits), LoadEngine::threads};
}

Result<PrefetchReport> load(const Prefetch::Impl& work) {
  const auto start = std::chrono::steady_clock::now();
  PrefetchReport report;
  report.was_warm = !work.options.even_if_warm && is_warm(work.tree, work.list);
  if (!report.was_warm) {
    const Engine engine = SOCK_TRY(make_engine(work.options));
    const auto count = SOCK_TRY(base::in_stage(
        image_stage, engine.loader->prefetch(work.tree, work.list.files, work.stop.get_token())));
    report.files = count.files;
    report.bytes = count.bytes;
    report.failed = count.failed;
    report.engine = engine.kind;
  }
  report.took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  return report;
}

}  // namespace

std::string_view to_string(LoadEngine engine) noexcept {
  switch (engine) {
    case LoadEngine::automatic:
      return "automatic";
    case LoadEngine::io_uring:
      return "io_uring";
    case LoadEngine::threads:
      return "threads";
  }
  return "unknown";
}

Result<std::unique_ptr<Prefetch::Impl>> Prefetch::Impl::start(UniqueFd tree,
                                                              image::PrefetchList list,
                                                              const PrefetchOptions& options) {
  auto made = std::make_unique<Impl>();
  made->tree = std::move(tree);
  made->list = std::move(list);
  made->options = options;
  const auto work = [&own = *made] {
    try {
      own.outcome = load(own);
    } catch (const std::bad_alloc&) {
      own.outcome = std::unexpected(Error{.code = Errc::exhausted, .stage = image_stage});
    }
  };
  made->thread = SOCK_TRY(base::in_stage(image_stage, sys::start_thread(work)));
  return made;
}

Prefetch::Prefetch(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Prefetch::Prefetch(Prefetch&&) noexcept = default;
Prefetch& Prefetch::operator=(Prefetch&&) noexcept = default;
Prefetch::~Prefetch() = default;

Result<PrefetchReport> Prefetch::wait() {
  if (!impl_) return base::refuse(Errc::closed, image_stage, "prefetch");
  if (impl_->thread.joinable()) impl_->thread.join();
  return impl_->outcome;
}

Result<> image::check_prefetch_options(const PrefetchOptions& options) {
  constexpr unsigned most = 1024;
  if (options.parallel < 1 || options.parallel > most)
    return base::refuse(Errc::invalid_spec, image_stage, "parallel",
                        "1 to " + std::to_string(most));
  return {};
}

}  // namespace sock
