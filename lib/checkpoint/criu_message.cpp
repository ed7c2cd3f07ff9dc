// Packing and unpacking by protobuf-c.

#include "checkpoint/criu_message.hpp"

#include <memory>

#include "base/try.hpp"
#include "criu.pb-c.h"

namespace sock::checkpoint {
namespace {

// CRIU's own numbers.
constexpr int type_dump = 1;
constexpr int type_restore = 2;
constexpr int type_check = 3;
constexpr int type_notify = 6;
constexpr int type_version = 10;
constexpr int cgroups_ignored = 0;
constexpr int network_lock_skipped = 3;
constexpr int log_warnings = 2;
// Of a file that was deleted while it is open: its content is kept in the snapshot.
constexpr std::uint32_t deleted_file_max = 256U << 20U;

// protobuf-c's structs have no const; packing writes to nothing.
char* mutable_text(const std::string& text) {
  return const_cast<char*>(text.c_str());
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const auto& text : texts) pointers.push_back(mutable_text(text));
  return pointers;
}

Criu__Options common_options(FdRef images, FdRef work, std::vector<char*>& external) {
  Criu__Options options = CRIU__OPTIONS__INIT;
  options.images_dir_fd = images.get();
  options.has_work_dir_fd = 1;
  options.work_dir_fd = work.get();
  options.has_log_level = 1;
  options.log_level = log_warnings;
  options.log_file = const_cast<char*>(log_name);
  options.has_manage_cgroups_mode = 1;
  options.manage_cgroups_mode = cgroups_ignored;
  options.has_network_lock = 1;
  options.network_lock = network_lock_skipped;
  options.has_file_locks = 1;
  options.file_locks = 1;
  options.has_ghost_limit = 1;
  options.ghost_limit = deleted_file_max;
  options.external = external.data();
  options.n_external = external.size();
  return options;
}

std::string to_bytes(const Criu__Request& request) {
  std::string bytes(criu__request__get_packed_size(&request), '\0');
  criu__request__pack(&request, reinterpret_cast<std::uint8_t*>(bytes.data()));
  return bytes;
}

std::string pack(int type, Criu__Options* options) {
  Criu__Request request = CRIU__REQUEST__INIT;
  request.type = type;
  request.opts = options;
  // A question about CRIU itself is not all that we have come for.
  request.has_keep_open = options == nullptr ? 1 : 0;
  request.keep_open = request.has_keep_open;
  return to_bytes(request);
}

std::string version_text(const Criu__Version& version) {
  std::string text =
      std::to_string(version.major_number) + "." + std::to_string(version.minor_number);
  if (version.has_sublevel != 0) text += "." + std::to_string(version.sublevel);
  return text;
}

}  // namespace

std::string pack(const DumpRequest& request) {
  auto external = pointers_to(request.external);
  auto options = common_options(request.images, request.work, external);
  options.has_pid = 1;
  options.pid = request.pid;
  options.has_leave_running = 1;
  options.leave_running = request.kills ? 0 : 1;
  options.has_notify_scripts = 1;
  options.notify_scripts = 1;
  return pack(type_dump, &options);
}

std::string pack(const RestoreRequest& request) {
  auto external = pointers_to(request.external);
  auto options = common_options(request.images, request.work, external);
  options.root = mutable_text(request.root);
  options.has_rst_sibling = 1;
  options.rst_sibling = 1;
  std::vector<Criu__InheritedFd> inherited;
  for (const auto& each : request.inherited) {
    inherited.push_back(CRIU__INHERITED_FD__INIT);
    inherited.back().key = mutable_text(each.key);
    inherited.back().fd = each.fd;
  }
  std::vector<Criu__InheritedFd*> pointers;
  for (auto& each : inherited) pointers.push_back(&each);
  options.inherit_fd = pointers.data();
  options.n_inherit_fd = pointers.size();
  return pack(type_restore, &options);
}

std::string pack_version_request() {
  return pack(type_version, nullptr);
}

std::string pack_notice_answer(bool go_on) {
  Criu__Request request = CRIU__REQUEST__INIT;
  request.type = type_notify;
  request.has_notify_success = 1;
  request.notify_success = go_on ? 1 : 0;
  return to_bytes(request);
}

std::string pack_check_request(FdRef directory) {
  Criu__Options options = CRIU__OPTIONS__INIT;
  options.images_dir_fd = directory.get();
  options.has_log_to_stderr = 1;
  options.log_to_stderr = 1;
  return pack(type_check, &options);
}

Result<Response> parse_response(std::string_view bytes) {
  const std::unique_ptr<Criu__Response, void (*)(Criu__Response*)> parsed{
      criu__response__unpack(nullptr, bytes.size(),
                             reinterpret_cast<const std::uint8_t*>(bytes.data())),
      [](Criu__Response* response) { criu__response__free_unpacked(response, nullptr); }};
  if (!parsed) return base::refuse(Errc::corrupt, Stage::none, "criu", "its answer is no message");
  Response response{.success = parsed->success != 0};
  if (parsed->has_cr_errno != 0) response.sys_errno = parsed->cr_errno;
  if (parsed->cr_errmsg != nullptr) response.message = parsed->cr_errmsg;
  if (parsed->restore != nullptr) response.pid = parsed->restore->pid;
  if (parsed->type == type_notify)
    response.notice = parsed->notify != nullptr && parsed->notify->script != nullptr
                          ? parsed->notify->script
                          : "unknown";
  if (parsed->version != nullptr) response.version = version_text(*parsed->version);
  return response;
}

}  // namespace sock::checkpoint
