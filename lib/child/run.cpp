// The child between clone and execve: walks a Plan, decides nothing.
//
// The order of steps is the order of what each still needs: mounts need privilege over the mount
// namespace, a user namespace must be entered before chroot (a chrooted process may not), ids
// before capabilities are gone, and the filter last, for the payload alone.

#include <linux/close_range.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>

#include "child/confine.hpp"
#include "child/kernel.hpp"
#include "child/report.hpp"

namespace sock::child {
namespace {

using sys::raw::call;

void enter_mount_namespace(const Plan& plan) noexcept {
  if (plan.mount_namespace >= 0)
    check(plan, Stage::namespaces, call(SYS_setns, plan.mount_namespace, CLONE_NEWNS));
  if (plan.own_mount_namespace) check(plan, Stage::namespaces, call(SYS_unshare, CLONE_NEWNS));
  mark(plan, Stage::namespaces);
}

// Makes the tree the root of this process's own mount namespace; the empty root goes.
void pivot(const Plan& plan) noexcept {
  check(plan, Stage::root,
        call(SYS_move_mount, plan.root, "", AT_FDCWD, plan.attach_point, MOVE_MOUNT_F_EMPTY_PATH));
  check(plan, Stage::root, call(SYS_fchdir, plan.root));
  check(plan, Stage::root, call(SYS_pivot_root, ".", "."));
  check(plan, Stage::root, call(SYS_umount2, ".", MNT_DETACH));
  mark(plan, Stage::root);
}

// A /proc of the new pid namespace has to be made from within it. Only processes: nothing of the
// machine (/proc/sys, /proc/kcore, ...) is in it.
// KERNEL: in a user namespace only where another /proc is in sight, so before leaving the machine's
// mount namespace.
int make_proc(const Plan& plan) noexcept {
  const long context = call(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
  check(plan, Stage::mounts, context, proc_index);
  check(plan, Stage::mounts, call(SYS_fsconfig, context, FSCONFIG_SET_STRING, "subset", "pid", 0),
        proc_index);
  check(plan, Stage::mounts, call(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0),
        proc_index);
  const long proc = call(SYS_fsmount, context, FSMOUNT_CLOEXEC,
                         MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  check(plan, Stage::mounts, proc, proc_index);
  mark(plan, Stage::mounts);
  return static_cast<int>(proc);
}

// What could not be mounted while the tree was detached, and /proc.
void make_mounts(const Plan& plan, int proc) noexcept {
  for (std::uint32_t i = 0; i < plan.mount_count; ++i)
    check(plan, Stage::mounts,
          call(SYS_move_mount, plan.mounts[i].mount, "", AT_FDCWD, plan.mounts[i].target,
               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS),
          i);
  check(plan, Stage::mounts,
        call(SYS_move_mount, proc, "", plan.root, "proc", MOVE_MOUNT_F_EMPTY_PATH), proc_index);
  mark(plan, Stage::mounts);
}

// A created container gets its mounts; a further process finds them there.
void build_root(const Plan& plan) noexcept {
  const int proc = make_proc(plan);
  if (plan.own_mount_namespace) {
    enter_mount_namespace(plan);
    pivot(plan);
    make_mounts(plan, proc);
  } else {
    // KERNEL: a detached tree takes mounts only from the mount namespace in which it was made.
    make_mounts(plan, proc);
    enter_mount_namespace(plan);
  }
}

// As execvp() does: a name that is not found in one directory is looked for in the next.
[[noreturn]] void exec_payload(const Plan& plan) noexcept {
  plan.report->executing = true;
  long first_refusal = 0;
  for (const char* const* program = plan.programs; *program != nullptr; ++program) {
    const long result = call(SYS_execve, *program, plan.argv, plan.envp);
    if (result == -error_not_found || result == -error_not_directory) continue;
    if (result != -error_access) fail(plan, Stage::exec, result);
    if (first_refusal == 0) first_refusal = result;
  }
  fail(plan, Stage::exec, first_refusal != 0 ? first_refusal : -error_not_found);
}

[[noreturn]] void become_payload(const Plan& plan) noexcept {
  prepare_payload(plan);
  exec_payload(plan);
}

void payload_entry(void* plan) noexcept {
  become_payload(*static_cast<const Plan*>(plan));
}

void write_decimal(char* text, long number) noexcept {
  char digits[12];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0) *text++ = digits[--count];
  *text = '\0';
}

// The payload starts first, as a child that shares this memory until it has called execve: so its
// failure to start is known here, and it does not wait for init.
[[noreturn]] void become_init(const Plan& plan) noexcept {
  check(plan, Stage::identity, call(SYS_setsid));  // So that no session leads out of the container.
  const long payload =
      sys::raw::clone_on_stack({.number = SYS_clone,
                                .arguments = {CLONE_VM | CLONE_VFORK | SIGCHLD,
                                              sys::raw::argument(plan.payload_stack_top), 0, 0, 0},
                                .entry = payload_entry,
                                .entry_argument = const_cast<Plan*>(&plan)});
  check(plan, Stage::clone, payload);
  if (plan.report->failed != Stage::none) end(127);
  write_decimal(plan.init_pid_text, payload);
  check(plan, Stage::exec, call(SYS_close_range, 0, ~0U, CLOSE_RANGE_CLOEXEC), init_index);
  call(SYS_fcntl, plan.life_line, F_SETFD, 0);
  call(SYS_fcntl, plan.init_report, F_SETFD, 0);
  const char* const no_environment[] = {nullptr};
  fail(plan, Stage::exec,
       call(SYS_execveat, plan.init, "", plan.init_argv, no_environment, AT_EMPTY_PATH),
       init_index);
}

}  // namespace

void run(void* argument) noexcept {
  const Plan& plan = *static_cast<const Plan*>(argument);
  mark(plan, Stage::clone);
  join_cgroups(plan);
  enter_namespaces(plan);
  if (plan.builds_root) build_root(plan);
  give_up_privilege(plan);
  if (plan.init >= 0) become_init(plan);
  become_payload(plan);
}

void enter(void* argument) noexcept {
  EnterPlan& plan = *static_cast<EnterPlan*>(argument);
  long result = 0;
  const auto join = [&](int ns, int kinds) {
    if (ns >= 0 && result >= 0) result = call(SYS_setns, ns, kinds);
  };
  join(plan.target, plan.target_kinds);
  join(plan.mount_namespace, CLONE_NEWNS);
  join(plan.user_namespace, CLONE_NEWUSER);
  plan.cloned = result < 0 ? result : sys::raw::clone_on_stack(plan.clone);
  end(0);
}

}  // namespace sock::child
