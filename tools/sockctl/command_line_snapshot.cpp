// `sockctl checkpoint` and `restore`, and `sockctl snapshot`: a group of verbs for the store.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

void add_store(CLI::App& verb, Invocation& invocation) {
  verb.add_option("--snapshot-store", invocation.snapshot.store, "Where the snapshots are")
      ->type_name("DIR");
}

CLI::App& add_snapshot_verb(CLI::App& group, Invocation& invocation, const char* name,
                            const char* help, const char* examples, Action action) {
  CLI::App& verb = add_verb(group, invocation, name, help, examples, action);
  add_store(verb, invocation);
  return verb;
}

// Its name tells the completion scripts what to complete.
CLI::Option* add_snapshots(CLI::App& verb, Invocation& invocation) {
  return verb.add_option("SNAPSHOT", invocation.snapshot.names, "Their names")
      ->required()
      ->type_name("");
}

// Of what import and pull bring.
void add_what_comes(CLI::App& verb, Invocation& invocation) {
  verb.add_option("--name", invocation.snapshot.archive.name,
                  "What to call it (as where it comes from)")
      ->type_name("NAME");
  auto& limits = invocation.snapshot.restore.limits;
  verb.add_option("--image-store", limits.image_store, "Where the image of its root should be")
      ->type_name("DIR");
  verb.add_option("--package-cache", limits.package_cache, "Where its packages should be")
      ->type_name("DIR");
  verb.add_flag("-q,--quiet", invocation.snapshot.quiet, "No progress");
  add_format(verb, invocation);
}

void describe_checkpoint(CLI::App& app, Invocation& invocation) {
  auto& options = invocation.snapshot.checkpoint;
  CLI::App& verb = add_host_verb(
      app, invocation, "checkpoint", "Write a detached container or a zygote into a snapshot",
      "  sockctl checkpoint web web-1\n"
      "  sockctl zygote create ds --preload numpy && sockctl checkpoint ds ds-1\n"
      "  sockctl checkpoint --stop web web-1 && sockctl restore web-1 --name web-again\n"
      "\nIt runs on afterwards, but with --stop. It can have no --net but isolated and "
      "loopback, no --userns, cap_sys_admin or cap_checkpoint_restore, and no process of exec.",
      [](Invocation& i) { return sockctl::checkpoint(i.globals, i.snapshot); });
  verb.add_option("NAME", options.name,
                  "The container, or the zygote where no container has that name")
      ->required()
      ->type_name("");
  verb.add_option("NEW", options.snapshot, "What the snapshot is to be called")
      ->required()
      ->type_name("");
  verb.add_flag("--stop", options.stop, "End it when the snapshot is written");
  verb.add_option("--memory", options.memory,
                  "How a container's memory comes back: \"mapped\" from the snapshot, which is "
                  "fast and shared, but wrong for programs that rely on zeros after madvise(); "
                  "\"copied\"; or \"auto\", by what its programs are known to do")
      ->check(CLI::IsMember({"auto", "mapped", "copied"}))
      ->capture_default_str()
      ->type_name("");
  add_store(verb, invocation);
  add_format(verb, invocation);
}

void describe_restore(CLI::App& app, Invocation& invocation) {
  auto& options = invocation.snapshot.restore;
  CLI::App& verb = add_host_verb(
      app, invocation, "restore", "Make detached containers, or zygotes, of a snapshot",
      "  sockctl restore web-1\n  sockctl restore web-1 --count 10 --name web\n"
      "  sockctl restore web-1 --timings -m 256m --user 2001 --name web\n"
      "  sockctl restore ds-1 && sockctl zygote fork ds -- python3 -c 'import numpy'\n"
      "\nEach goes on where the snapshot was written, in namespaces and a cgroup of its own.",
      [](Invocation& i) { return sockctl::restore(i.globals, i.snapshot); });
  verb.add_option("SNAPSHOT", options.snapshot, "Its name")->required()->type_name("");
  constexpr unsigned most = 10'000;
  verb.add_option("--count", options.count, "How many")
      ->type_name("N")
      ->check(CLI::Range(1U, most));
  verb.add_option("--name", options.names, "Their names; one for many becomes NAME-1, NAME-2, ...")
      ->type_name("NAME")
      ->allow_extra_args(false);
  verb.add_option("-m,--memory", options.limits.memory, "Memory limit, instead of the snapshot's")
      ->type_name("SIZE");
  verb.add_option("--cpus", options.limits.cpus, "Processors, like 0.5")->type_name("N");
  verb.add_option("--pids", options.limits.pids, "Processes and threads, or max")->type_name("N");
  verb.add_option("-u,--user", options.limits.user,
                  "Whose processes and files it is then, instead of the snapshot's user (numbers)")
      ->type_name("UID[:GID]");
  verb.add_option("--image-store", options.limits.image_store, "Where the image of its root is")
      ->type_name("DIR");
  verb.add_option("--package-cache", options.limits.package_cache, "Where its packages are")
      ->type_name("DIR");
  verb.add_flag("--timings", options.timings, "Print the time of each stage on stderr");
  add_store(verb, invocation);
}

void describe_diff(CLI::App& group, Invocation& invocation) {
  CLI::App& verb = add_snapshot_verb(
      group, invocation, "diff", "Show what two snapshots do not have in common",
      "  sockctl snapshot diff web-1 web-2\n"
      "  sockctl snapshot diff ds-1 ds-2 --format json | jq .pages\n"
      "\nWhat they say of themselves, files of memory and of tmpfs mounts, and how many pages of\n"
      "4 KiB are in both. Not compared: when they were written.",
      [](Invocation& i) { return snapshot_diff(i.globals, i.snapshot); });
  add_snapshots(verb, invocation)->expected(2);
  add_format(verb, invocation);
}

void describe_export(CLI::App& group, Invocation& invocation) {
  auto& archive = invocation.snapshot.archive;
  CLI::App& verb = add_snapshot_verb(
      group, invocation, "export", "Write a snapshot into a tar file, for another machine",
      "  sockctl snapshot export web-1 web-1.tar\n"
      "  sockctl snapshot export web-1 web-1.tar && zstd --rm web-1.tar\n"
      "\nThe file is new and its owner's alone: it holds whatever the container had in memory. "
      "The\n"
      "image of its root is named in it, and not in it: sockctl image export.",
      [](Invocation& i) { return snapshot_export(i.globals, i.snapshot); });
  verb.add_option("SNAPSHOT", archive.snapshot, "Its name")->required()->type_name("");
  verb.add_option("FILE", archive.file, "Not there yet")->required()->type_name("");
  verb.add_flag("-q,--quiet", invocation.snapshot.quiet, "No progress");
  add_format(verb, invocation);
}

void describe_import(CLI::App& group, Invocation& invocation) {
  auto& archive = invocation.snapshot.archive;
  CLI::App& verb = add_snapshot_verb(
      group, invocation, "import", "Take in a snapshot that export has written",
      "  sockctl snapshot import web-1.tar && sockctl restore web-1\n"
      "  zstd -dc web-1.tar.zst | sockctl snapshot import /dev/stdin --name web-old\n"
      "\nEvery file is verified, which tells whether it is what was written, not by whom: import "
      "only\n"
      "from those whom you would let start containers here.",
      [](Invocation& i) { return snapshot_import(i.globals, i.snapshot); });
  verb.add_option("FILE", archive.file, "What sockctl snapshot export has written")
      ->required()
      ->type_name("");
  add_what_comes(verb, invocation);
}

void describe_push(CLI::App& group, Invocation& invocation) {
  auto& archive = invocation.snapshot.archive;
  CLI::App& verb = add_snapshot_verb(
      group, invocation, "push", "Write a snapshot into a registry of images, by skopeo",
      "  sockctl snapshot push web-1 docker://registry.example/snapshots/web:1\n"
      "  sockctl snapshot push web-1 docker://localhost:5000/web:1 --insecure\n"
      "\nAn image of one file, what export writes: whoever may read it there sees whatever the\n"
      "container had in memory. The image of its root goes by itself: sockctl image push.",
      [](Invocation& i) { return snapshot_push(i.globals, i.snapshot); });
  verb.add_option("SNAPSHOT", archive.snapshot, "Its name")->required()->type_name("");
  verb.add_option("TARGET", archive.place, "docker://NAME[:TAG], or where else skopeo writes")
      ->required()
      ->type_name("");
  add_registry(verb, invocation.snapshot.registry);
  verb.add_flag("-q,--quiet", invocation.snapshot.quiet, "No progress");
  add_format(verb, invocation);
}

void describe_pull(CLI::App& group, Invocation& invocation) {
  auto& archive = invocation.snapshot.archive;
  CLI::App& verb = add_snapshot_verb(
      group, invocation, "pull", "Take in a snapshot that push has written",
      "  sockctl snapshot pull docker://registry.example/snapshots/web:1 && sockctl restore web-1\n"
      "  sockctl snapshot pull docker://localhost:5000/web:1 --insecure --name web-old\n"
      "\nVerified as import does it: pull only from where nobody writes whom you would not let\n"
      "start containers here.",
      [](Invocation& i) { return snapshot_pull(i.globals, i.snapshot); });
  verb.add_option("SOURCE", archive.place, "docker://NAME[:TAG|@DIGEST], or what else skopeo reads")
      ->required()
      ->type_name("");
  add_registry(verb, invocation.snapshot.registry);
  add_what_comes(verb, invocation);
}

}  // namespace

void describe_snapshot(CLI::App& app, Invocation& invocation) {
  describe_checkpoint(app, invocation);
  describe_restore(app, invocation);
  CLI::App& group =
      add_group(app, "snapshot", "Snapshots: containers with their memory, in a store",
                "  sockctl checkpoint web web-1\n  sockctl snapshot ls\n"
                "  sockctl restore web-1");
  CLI::App& ls =
      add_snapshot_verb(group, invocation, "ls", "List the snapshots",
                        "  sockctl snapshot ls\n  sockctl snapshot ls --format json",
                        [](Invocation& i) { return snapshot_ls(i.globals, i.snapshot); });
  ls.add_flag("-q,--quiet", invocation.snapshot.quiet, "Print the names only");
  add_format(ls, invocation);
  CLI::App& inspect = add_snapshot_verb(
      group, invocation, "inspect", "Show all that is known of snapshots, as JSON",
      "  sockctl snapshot inspect web-1\n"
      "  sockctl snapshot inspect --tree web-1\n"
      "  sockctl snapshot inspect web-1 | jq '.[0].tree[].descriptors'",
      [](Invocation& i) { return snapshot_inspect(i.globals, i.snapshot); });
  add_snapshots(inspect, invocation);
  inspect.add_flag("--tree", invocation.snapshot.tree,
                   "Tables of its processes, their memory and their descriptors instead");
  add_format(inspect, invocation);
  CLI::App& verify =
      add_snapshot_verb(group, invocation, "verify", "Re-read every file of snapshots, and compare",
                        "  sockctl snapshot verify web-1\n"
                        "\nExit status: 0 when all is as written, 1 when something is not.",
                        [](Invocation& i) { return snapshot_verify(i.globals, i.snapshot); });
  add_snapshots(verify, invocation);
  add_format(verify, invocation);
  describe_diff(group, invocation);
  describe_export(group, invocation);
  describe_import(group, invocation);
  describe_push(group, invocation);
  describe_pull(group, invocation);
  add_snapshots(
      add_snapshot_verb(group, invocation, "rm", "Remove snapshots", "  sockctl snapshot rm web-1",
                        [](Invocation& i) { return snapshot_rm(i.globals, i.snapshot); }),
      invocation);
  add_format(add_snapshot_verb(group, invocation, "gc", "Remove what was never finished",
                               "  sockctl snapshot gc",
                               [](Invocation& i) { return snapshot_gc(i.globals, i.snapshot); }),
             invocation);
}

}  // namespace sockctl
