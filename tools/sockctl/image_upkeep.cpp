// sockctl image rm, verify and gc.

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "image_store.hpp"
#include "image_verbs.hpp"
#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "verification.hpp"

namespace sockctl {
namespace {

constexpr sock::FdRef out{1};

Result<sock::ImageStore> open_store(const ImageOptions& options) {
  return open_image_store(SOCKCTL_TRY(image_store_dir(options.store.directory)));
}

// Where a shell stands may be reached through links.
std::string absolute(const std::string& directory) {
  std::error_code problem;
  const auto path = std::filesystem::canonical(directory, problem);
  return problem ? directory : path.string();
}

/// As many as can be: the first failure decides the exit status.
int for_each_name(const ImageOptions& options,
                  const std::function<Result<int>(sock::ImageStore&, const std::string&)>& verb) {
  auto store = open_store(options);
  if (!store.has_value()) return fail(store.error());
  int status = 0;
  for (const auto& name : options.names) {
    const auto done = verb(*store, name);
    const int mine = done.has_value() ? *done : fail(done.error());
    if (status == 0) status = mine;
  }
  return status;
}

Result<int> verify(Format format, const sock::ImageStore& store, const std::string& name) {
  const auto found = SOCKCTL_TRY(store.verify(name));
  return report_verification(format, {{"image", name}}, name, found, "as imported");
}

Result<> collect(Format format, const ImageOptions& options) {
  auto store = SOCKCTL_TRY(open_store(options));
  const auto removed = SOCKCTL_TRY(store.gc());
  if (format != Format::table)
    return write_all(out, line_of({{"images", removed.images},
                                   {"layers", removed.layers},
                                   {"roots", removed.roots},
                                   {"documents", removed.documents},
                                   {"unfinished", removed.unfinished},
                                   {"in_use", removed.in_use}}) +
                              "\n");
  return write_all(
      out, fmt::format("removed {} images, {} layers, {} roots, {} unfinished imports; {} in use\n",
                       removed.images, removed.layers, removed.roots, removed.unfinished,
                       removed.in_use));
}

}  // namespace

int image_rm(const Globals&, const ImageOptions& options) {
  return for_each_name(options,
                       [](sock::ImageStore& store, const std::string& name) -> Result<int> {
                         SOCKCTL_TRY(store.remove(name));
                         return 0;
                       });
}

int image_mount(const Globals&, const ImageOptions& options) {
  const auto store = open_store(options);
  if (!store.has_value()) return fail(store.error());
  const auto done = store->mount(options.image, absolute(options.directory));
  return done.has_value() ? 0 : fail(done.error());
}

int image_umount(const Globals&, const ImageOptions& options) {
  const auto store = open_store(options);
  if (!store.has_value()) return fail(store.error());
  const auto done = store->unmount(absolute(options.directory));
  return done.has_value() ? 0 : fail(done.error());
}

int image_verify(const Globals& globals, const ImageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return for_each_name(options, [&](sock::ImageStore& store, const std::string& name) {
    return verify(*format, store, name);
  });
}

int image_gc(const Globals& globals, const ImageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done = collect(*format, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
