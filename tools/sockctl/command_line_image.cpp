// `sockctl image`: a group of verbs for the image store.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

CLI::App& add_image_verb(CLI::App& group, Invocation& invocation, const char* name,
                         const char* help, const char* examples, Action action) {
  CLI::App& verb = add_verb(group, invocation, name, help, examples, action);
  verb.add_option("--image-store", invocation.image.store.directory, "Where the images are")
      ->type_name("DIR");
  return verb;
}

// Its name tells the completion scripts what to complete.
void add_images(CLI::App& verb, Invocation& invocation) {
  verb.add_option("IMAGE", invocation.image.names, "NAME[:TAG], @DIGEST or both")
      ->required()
      ->type_name("");
}

// Of what import and pull bring.
void add_what_comes(CLI::App& verb, Invocation& invocation) {
  auto& import = invocation.image.import;
  verb.add_option("--name", import.name, "What to call it (as where it comes from)")
      ->type_name("NAME[:TAG]");
  verb.add_option("--arch", import.architecture, "For which machine (this one), like arm64")
      ->type_name("ARCH");
  verb.add_flag("-q,--quiet", import.quiet, "No progress");
  add_format(verb, invocation);
}

// The one that a verb is about, and the place in which its name is kept.
void add_image(CLI::App& verb, std::string& name) {
  verb.add_option("IMAGE", name, "NAME[:TAG], @DIGEST or both")->required()->type_name("");
}

void describe_import(CLI::App& group, Invocation& invocation) {
  auto& import = invocation.image.import;
  CLI::App& verb = add_image_verb(
      group, invocation, "import", "Import an image that another tool has written",
      "  sockctl image import oci:build/app:v1 --name app:v1\n"
      "  skopeo copy docker://debian:12 oci-archive:d.tar:12 &&\n"
      "      sockctl image import oci-archive:d.tar:12\n"
      "  podman save app | cat > app.tar && sockctl image import docker-archive:app.tar\n"
      "  sockctl image import dir:/srv/rootfs --name base",
      [](Invocation& i) { return image_import(i.globals, i.image); });
  verb.add_option("SOURCE", import.source,
                  "oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] or dir:DIR")
      ->required()
      ->type_name("");
  verb.add_flag("--devices", import.devices, "Make device nodes too; no container can use them");
  add_what_comes(verb, invocation);
}

void describe_pull(CLI::App& group, Invocation& invocation) {
  auto& import = invocation.image.import;
  CLI::App& verb =
      add_image_verb(group, invocation, "pull", "Import an image from a registry, by skopeo",
                     "  sockctl image pull docker://debian:12\n"
                     "  sockctl image pull docker://localhost:5000/app:v1 --insecure --name app:v1",
                     [](Invocation& i) { return image_pull(i.globals, i.image); });
  verb.add_option("SOURCE", import.source, "docker://NAME[:TAG|@DIGEST], or what else skopeo reads")
      ->required()
      ->type_name("");
  add_registry(verb, invocation.image.registry);
  add_what_comes(verb, invocation);
}

void add_what_goes(CLI::App& verb, Invocation& invocation, const char* target) {
  auto& write = invocation.image.write;
  add_image(verb, invocation.image.image);
  verb.add_option("TARGET", write.target, target)->required()->type_name("");
  verb.add_option("--compress", write.compression, "Layers: none, gzip (the default) or zstd")
      ->type_name("HOW");
  verb.add_option("--changes", write.changes, "A directory that becomes one more layer, on top")
      ->type_name("DIR");
}

void describe_push(CLI::App& group, Invocation& invocation) {
  CLI::App& verb = add_image_verb(
      group, invocation, "push", "Write an image into a registry, by skopeo",
      "  sockctl image push app:v1 docker://registry.example/app:v1\n"
      "  sockctl image push app:v1 docker://localhost:5000/app:v1 --insecure --compress zstd\n"
      "\nFiles, owners and attributes are the same; layers are made anew, with digests of their "
      "own.",
      [](Invocation& i) { return image_push(i.globals, i.image); });
  add_what_goes(verb, invocation, "docker://NAME[:TAG], or where else skopeo writes");
  add_registry(verb, invocation.image.registry);
  add_format(verb, invocation);
}

void describe_export(CLI::App& group, Invocation& invocation) {
  CLI::App& verb = add_image_verb(
      group, invocation, "export", "Write an image as an OCI layout, for other tools",
      "  sockctl image export app:v1 oci:build/app:v1\n"
      "  sockctl image export app:v1 oci-archive:app.tar --compress zstd\n"
      "  sockctl run --image app:v1 -v /srv/out:/out:rw -- make install DESTDIR=/out &&\n"
      "      sockctl image export app:v1 oci:build/app:v2 --changes /srv/out",
      [](Invocation& i) { return image_export(i.globals, i.image); });
  add_what_goes(verb, invocation, "oci:DIR[:TAG] or oci-archive:FILE[:TAG], not there yet");
  add_format(verb, invocation);
}

void describe_listing(CLI::App& group, Invocation& invocation) {
  CLI::App& ls = add_image_verb(group, invocation, "ls", "List the images",
                                "  sockctl image ls\n  sockctl image ls --format json",
                                [](Invocation& i) { return image_ls(i.globals, i.image); });
  ls.add_flag("-q,--quiet", invocation.image.quiet, "Print the names only");
  add_format(ls, invocation);
  CLI::App& inspect =
      add_image_verb(group, invocation, "inspect", "Show all that is known of images, as JSON",
                     "  sockctl image inspect app:v1",
                     [](Invocation& i) { return image_inspect(i.globals, i.image); });
  add_images(inspect, invocation);
  add_format(inspect, invocation);
}

void describe_upkeep(CLI::App& group, Invocation& invocation) {
  add_images(add_image_verb(group, invocation, "rm", "Take names away; gc frees the space",
                            "  sockctl image rm app:v1 && sockctl image gc",
                            [](Invocation& i) { return image_rm(i.globals, i.image); }),
             invocation);
  CLI::App& verify =
      add_image_verb(group, invocation, "verify", "Re-read every file of images, and compare",
                     "  sockctl image verify app:v1\n"
                     "\nExit status: 0 when all is as imported, 1 when something is not.",
                     [](Invocation& i) { return image_verify(i.globals, i.image); });
  add_images(verify, invocation);
  add_format(verify, invocation);
  add_format(add_image_verb(group, invocation, "gc",
                            "Remove what no name refers to and nobody uses", "  sockctl image gc",
                            [](Invocation& i) { return image_gc(i.globals, i.image); }),
             invocation);
}

void describe_mounting(CLI::App& group, Invocation& invocation) {
  auto& image = invocation.image;
  CLI::App& mount = add_image_verb(
      group, invocation, "mount", "Mount an image's root on a directory, read-only, to look at it",
      "  sockctl image mount app:v1 /mnt && ls /mnt && sockctl image umount /mnt\n"
      "\nWhile it is mounted, gc leaves it alone.",
      [](Invocation& i) { return image_mount(i.globals, i.image); });
  add_image(mount, image.image);
  mount.add_option("DIRECTORY", image.directory, "Where")->required()->type_name("");
  CLI::App& umount = add_image_verb(group, invocation, "umount", "Take such a mount away",
                                    "  sockctl image umount /mnt",
                                    [](Invocation& i) { return image_umount(i.globals, i.image); });
  umount.add_option("DIRECTORY", image.directory, "Where")->required()->type_name("");
}

void describe_prefetch(CLI::App& group, Invocation& invocation) {
  CLI::App& verb = add_image_verb(
      group, invocation, "prefetch", "Record what a start reads, to bring it into memory at once",
      "  sockctl image prefetch app:v1 --record -- python3 -c 'import numpy, pandas'\n"
      "  sockctl image prefetch app:v1 --record --wall 5s     # a server: its first five seconds\n"
      "  sockctl image prefetch app:v1                        # what was recorded\n"
      "  sockctl image prefetch app:v1 -- python3             # into memory now\n"
      "\nsockctl run --image uses what was recorded of its command, or else of its program. For a\n"
      "recording the image's files are forgotten by the page cache first, which needs nobody else\n"
      "to run from it.",
      [](Invocation& i) { return image_prefetch(i.globals, i.image, std::move(i.run)); });
  add_image(verb, invocation.run.image);
  verb.add_flag("--record", invocation.image.record, "Run the command (the image's), and record");
  verb.add_option("--wall", invocation.run.wall, "End the recording after this long, like 5s")
      ->type_name("TIME");
  verb.add_option("--engine", invocation.run.prefetch, "auto, io_uring or threads")
      ->type_name("ENGINE");
  add_format(verb, invocation);
  verb.prefix_command();
}

}  // namespace

void describe_image(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, "image", "Images: roots for containers, in a store",
                              "  sockctl image import oci:build/app:v1\n"
                              "  sockctl run --image app:v1 -- python3 -c 'print(1)'\n"
                              "  sockctl image import --help");
  describe_import(group, invocation);
  describe_pull(group, invocation);
  describe_push(group, invocation);
  describe_export(group, invocation);
  describe_listing(group, invocation);
  describe_upkeep(group, invocation);
  describe_prefetch(group, invocation);
  describe_mounting(group, invocation);
}

}  // namespace sockctl
