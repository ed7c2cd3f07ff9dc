// Mounting, and the notes of it.

#include "image/mounts.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "store/escaped_text.hpp"
#include "store/stage.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/mount.hpp"

namespace sock::image {
namespace {

/// "CHAINID BOOTID DIRECTORY", escaped words.
struct Note {
  std::string chain;
  std::string boot;
  std::string directory;
};

std::string note_name(const std::string& directory) {
  return store::Digest::of(directory).hex();
}

Result<std::string> boot_id() {
  std::string text = SOCK_TRY(sys::read_file(sys::cwd, "/proc/sys/kernel/random/boot_id", 64));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<Note> load_note(const StoreDirectory& store, const std::string& name) {
  const auto text = SOCK_TRY(sys::read_file(store.mounts, name, 64U << 10U));
  store::Words words{std::string_view{text}.substr(0, text.find('\n'))};
  const auto chain = store::unescape(words.word());
  const auto boot = store::unescape(words.word());
  const auto directory = store::unescape(words.word());
  if (!chain || !boot || !directory || !words.ended_well())
    return store::corrupt("mounts/" + name, "it is damaged");
  return Note{*chain, *boot, *directory};
}

Result<> attach_root(const StoreDirectory& store, const StoredImage& stored, FdRef target) {
  const UniqueFd tree =
      SOCK_TRY(sys::open_beneath(store.top, root_path(stored), O_PATH | O_DIRECTORY));
  const UniqueFd mount = SOCK_TRY(sys::clone_mount(tree, "", sys::Depth::one_mount));
  SOCK_TRY(sys::restrict_mount(
      mount, sys::MountFlags::read_only | sys::MountFlags::no_suid | sys::MountFlags::no_devices,
      sys::Depth::one_mount));
  return sys::attach_mount(mount, target);
}

Result<> mount_and_note(const StoreDirectory& store, const StoredImage& stored,
                        const std::string& directory) {
  const UniqueFd target = SOCK_TRY(sys::open_literally(sys::cwd, directory, O_PATH | O_DIRECTORY));
  const std::string name = note_name(directory);
  const std::string boot = SOCK_TRY(boot_id());
  // One of before the machine's start means nothing.
  const auto known = load_note(store, name);
  if (known.has_value() && known->boot == boot)
    return base::refuse(Errc::exists, image_stage, directory, "an image is mounted there already");
  const store::Staging staging = SOCK_TRY(store::Staging::create(store));
  // Noted first: what is mounted is never without its note.
  SOCK_TRY(staging.write_and_publish(store.mounts, name,
                                     store::escape(stored.chain.hex()) + ' ' + store::escape(boot) +
                                         ' ' + store::escape(directory) + '\n'));
  auto attached = attach_root(store, stored, target);
  if (!attached.has_value()) static_cast<void>(sys::remove_file(store.mounts, name));
  return attached;
}

}  // namespace

Result<> mount_root(const StoreDirectory& store, const StoredImage& stored,
                    const std::string& directory) {
  if (!directory.starts_with('/'))
    return base::refuse(Errc::invalid_spec, image_stage, directory, "an absolute directory");
  return base::in_stage(image_stage, mount_and_note(store, stored, directory));
}

Result<> unmount_root(const StoreDirectory& store, const std::string& directory) {
  const std::string name = note_name(directory);
  if (!sys::status_at(store.mounts, name).has_value())
    return base::refuse(Errc::not_found, image_stage, directory, "no image was mounted there");
  const std::string boot = SOCK_TRY(base::in_stage(image_stage, boot_id()));
  const auto note = load_note(store, name);
  // What is there since the machine's last start is somebody else's.
  if (!note.has_value() || note->boot == boot) {
    const auto unmounted = base::in_stage(image_stage, sys::unmount(directory));
    // Nothing is mounted there, or nothing is there: somebody else has taken it away.
    const bool is_gone = !unmounted.has_value() && (unmounted.error().code == Errc::invalid_spec ||
                                                    unmounted.error().code == Errc::not_found);
    if (!unmounted.has_value() && !is_gone) return unmounted;
  }
  return base::in_stage(image_stage, sys::remove_file(store.mounts, name));
}

Result<std::set<std::string>> mounted_chains(const StoreDirectory& store) {
  std::set<std::string> chains;
  const std::string boot = SOCK_TRY(base::in_stage(image_stage, boot_id()));
  for (const auto& name : SOCK_TRY(base::in_stage(image_stage, sys::list_dir(store.mounts)))) {
    const Note note = SOCK_TRY(base::in_stage(image_stage, load_note(store, name)));
    if (note.boot == boot)
      chains.insert(note.chain);
    else
      SOCK_TRY(base::in_stage(image_stage, sys::remove_file(store.mounts, name)));
  }
  return chains;
}

}  // namespace sock::image
