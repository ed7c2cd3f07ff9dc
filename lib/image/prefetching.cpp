// Prefetch: the public handle, and its thread.

#include "image/prefetching.hpp"

#include <new>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "loader/loader.hpp"
#include "sys/thread.hpp"

namespace sock {

using image::image_stage;

namespace {

Result<std::unique_ptr<loader::Loader>> make_engine(const PrefetchOptions& options) {
  const loader::LoaderOptions limits{.parallel = options.parallel};
  if (options.engine == LoadEngine::automatic) return loader::make_loader(limits);
  if (options.engine == LoadEngine::threads) return loader::make_thread_loader(limits);
  auto ring = loader::make_ring_loader(limits);
  if (ring.has_value()) return ring;
  return base::refuse(Errc::unsupported, image_stage, "io_uring",
                      "the kernel is older than 5.19, or it is switched off");
}

Result<PrefetchReport> load(const Prefetch::Impl& work) {
  const auto start = std::chrono::steady_clock::now();
  PrefetchReport report;
  report.was_warm = !work.options.even_if_warm && loader::is_warm(work.tree, work.list.files);
  if (!report.was_warm) {
    const auto engine = SOCK_TRY(make_engine(work.options));
    const auto count = SOCK_TRY(base::in_stage(
        image_stage, engine->prefetch(work.tree, work.list.files, work.stop.get_token())));
    report.files = count.files;
    report.bytes = count.bytes;
    report.failed = count.failed;
    report.engine =
        engine->engine() == loader::Engine::ring ? LoadEngine::io_uring : LoadEngine::threads;
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
