// Each kind of image has its own messages.

#include "checkpoint/criu_owners.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/try.hpp"
#include "checkpoint/criu_image_bytes.hpp"
#include "criu_images.pb-c.h"

namespace sock::checkpoint {
namespace {

/// Changes each message of an image.
template <class Unpack, class Change>
Result<std::string> change_messages(std::string_view bytes, const std::string& what, Unpack unpack,
                                    Change change) {
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  std::string changed = image_head(image.magic);
  for (const auto each : image.messages) {
    auto message = SOCK_TRY(unpack_message(unpack, each, what));
    change(*message);
    append_message(changed, message->base);
  }
  return changed;
}

// Groups that are to be packed are the caller's, not the message's.
Result<std::string> change_threads(const std::string& what, std::string_view bytes,
                                   const UserChange& change) {
  std::vector<std::uint32_t> groups{change.groups.begin(), change.groups.end()};
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  std::string changed = image_head(image.magic);
  for (const auto each : image.messages) {
    const auto thread = SOCK_TRY(unpack_message(criu__owned_core__unpack, each, what));
    auto* const credentials = thread->thread_core != nullptr ? thread->thread_core->creds : nullptr;
    if (credentials == nullptr) {
      append_message(changed, thread->base);
      continue;
    }
    const Criu__Credentials before = *credentials;
    credentials->uid = change.user(before.uid);
    credentials->euid = change.user(before.euid);
    credentials->suid = change.user(before.suid);
    credentials->fsuid = change.user(before.fsuid);
    credentials->gid = change.group(before.gid);
    credentials->egid = change.group(before.egid);
    credentials->sgid = change.group(before.sgid);
    credentials->fsgid = change.group(before.fsgid);
    if (before.uid == change.earlier_uid) {
      credentials->groups = groups.data();
      credentials->n_groups = groups.size();
    }
    append_message(changed, thread->base);
    credentials->groups = before.groups;
    credentials->n_groups = before.n_groups;
  }
  return changed;
}

// Whom the kernel signals when something happens to a file (F_SETOWN); nobody, usually.
void change_receiver(Criu__Owner* owner, const UserChange& change) {
  if (owner == nullptr) return;
  owner->uid = change.user(owner->uid);
  owner->euid = change.user(owner->euid);
}

void change_open_file(Criu__OwnedFile& file, const UserChange& change) {
  if (file.reg != nullptr) change_receiver(file.reg->fown, change);
  if (file.pipe != nullptr) change_receiver(file.pipe->fown, change);
  if (file.memfd != nullptr) change_receiver(file.memfd->fown, change);
  if (file.usk == nullptr) return;
  change_receiver(file.usk->fown, change);
  if (auto* const permissions = file.usk->file_perms; permissions != nullptr) {
    permissions->uid = change.user(permissions->uid);
    permissions->gid = change.group(permissions->gid);
  }
}

// The content follows what is said of the file.
Result<std::string> change_deleted_file(const std::string& what, std::string_view bytes,
                                        const UserChange& change) {
  const CriuFirst image = SOCK_TRY(split_first(bytes, what));
  const auto file = SOCK_TRY(unpack_message(criu__deleted_file__unpack, image.message, what));
  file->uid = change.user(file->uid);
  file->gid = change.group(file->gid);
  std::string changed = image_head(image.magic);
  append_message(changed, file->base);
  return changed.append(image.rest);
}

Result<std::string> refuse_any(const std::string& what, std::string_view bytes,
                               const UserChange& /*change*/) {
  const auto image = split_image(bytes, what);
  if (image.has_value() && image->messages.empty()) return std::string{bytes};
  return base::refuse(Errc::unsupported, Stage::restore, "what the container has of System V IPC",
                      "restore it without another user: its owner cannot be changed");
}

struct Kind {
  std::string_view start;
  Result<std::string> (*change)(const std::string& what, std::string_view bytes,
                                const UserChange& change);
};

constexpr std::array kinds{
    Kind{.start = "core-", .change = change_threads},
    Kind{.start = "files.img",
         .change =
             [](const std::string& what, std::string_view bytes, const UserChange& change) {
               return change_messages(
                   bytes, what, criu__owned_file__unpack,
                   [&](Criu__OwnedFile& file) { change_open_file(file, change); });
             }},
    Kind{.start = "memfd.img",
         .change =
             [](const std::string& what, std::string_view bytes, const UserChange& change) {
               return change_messages(bytes, what, criu__memory_file__unpack,
                                      [&](Criu__MemoryFile& file) {
                                        file.uid = change.user(file.uid);
                                        file.gid = change.group(file.gid);
                                      });
             }},
    Kind{.start = "ghost-file-", .change = change_deleted_file},
    Kind{.start = "ipcns-shm-", .change = refuse_any},
    Kind{.start = "ipcns-sem-", .change = refuse_any},
    Kind{.start = "ipcns-msg-", .change = refuse_any},
};

const Kind* kind_of(std::string_view name) {
  const auto* const kind =
      std::ranges::find_if(kinds, [&](const Kind& each) { return name.starts_with(each.start); });
  return kind != kinds.end() ? kind : nullptr;
}

}  // namespace

bool has_owners(std::string_view name) {
  return kind_of(name) != nullptr;
}

Result<std::string> change_owners(const std::string& name, std::string_view bytes,
                                  const UserChange& change) {
  const Kind* const kind = kind_of(name);
  if (kind == nullptr) return std::string{bytes};
  return kind->change(name, bytes, change);
}

}  // namespace sock::checkpoint
