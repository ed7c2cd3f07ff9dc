#pragma once

// The verbs of `sockctl image`, described in command_line_image.cpp. Each gives the exit status of
// the process.

#include <string>
#include <vector>

#include "sock/image.hpp"

#include "globals.hpp"
#include "registry.hpp"
#include "run_options.hpp"
#include "verbs.hpp"

namespace sockctl {

/// What all of them take.
struct ImageStoreChoice {
  std::string directory = {};  ///< As given; image_store_dir() decides.
};
struct ImageImportOptions {
  std::string source = {};
  std::string name = {};
  std::string architecture = {};
  bool devices = false;
  bool quiet = false;
};
struct ImageExportOptions {
  std::string target = {};
  std::string compression = "gzip";
  std::string changes = {};
};
struct ImageOptions {
  ImageStoreChoice store = {};
  ImageImportOptions import = {};
  ImageExportOptions write = {};
  RegistryOptions registry = {};  ///< pull, push
  bool quiet = false;             ///< ls
  std::vector<std::string> names = {};
  std::string image = {};      ///< export, mount
  bool record = false;         ///< prefetch
  std::string directory = {};  ///< mount, umount
};

/// Imports, with progress on stderr, and says what has come.
Result<> import_and_tell(Format format, const ImageOptions& options,
                         const sock::ImageSource& source);
int image_import(const Globals& globals, const ImageOptions& options);
/// From a registry.
int image_pull(const Globals& globals, const ImageOptions& options);
/// Into a registry.
int image_push(const Globals& globals, const ImageOptions& options);
/// What --compress means.
Result<sock::Compression> parse_compression(const std::string& text);
int image_export(const Globals& globals, const ImageOptions& options);
int image_ls(const Globals& globals, const ImageOptions& options);
int image_inspect(const Globals& globals, const ImageOptions& options);
int image_rm(const Globals& globals, const ImageOptions& options);
/// 1 when something is not as it was imported.
int image_verify(const Globals& globals, const ImageOptions& options);
int image_mount(const Globals& globals, const ImageOptions& options);
int image_umount(const Globals& globals, const ImageOptions& options);
/// `run` has the image, the command and the limits of what is recorded.
int image_prefetch(const Globals& globals, const ImageOptions& options, RunOptions run);
int image_gc(const Globals& globals, const ImageOptions& options);

}  // namespace sockctl
