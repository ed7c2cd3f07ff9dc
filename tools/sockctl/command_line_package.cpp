// `sockctl package`: a group of verbs for the package cache.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

CLI::App& add_package_verb(CLI::App& group, Invocation& invocation, const char* name,
                           const char* help, const char* examples, Action action,
                           decltype(add_verb)* add = add_verb) {
  CLI::App& verb = add(group, invocation, name, help, examples, action);
  verb.add_option("--package-cache", invocation.package.cache, "Where the packages are")
      ->type_name("DIR");
  return verb;
}

// One that runs an interpreter in a container, unless it is told not to.
CLI::App& add_taking_verb(CLI::App& group, Invocation& invocation, const char* name,
                          const char* help, const char* examples, Action action) {
  CLI::App& verb = add_package_verb(group, invocation, name, help, examples, action, add_host_verb);
  verb.add_flag("--no-compile", invocation.package.no_compile,
                "Leave its modules to whoever imports them; see compile");
  return verb;
}

// Its name tells the completion scripts what to complete.
void add_packages(CLI::App& verb, Invocation& invocation) {
  verb.add_option("PACKAGE", invocation.package.packages, "NAME, or NAME==VERSION")
      ->required()
      ->type_name("");
}

void describe_taking_in(CLI::App& group, Invocation& invocation) {
  auto& add = invocation.package.add;
  CLI::App& verb = add_taking_verb(
      group, invocation, "add", "Take a package in: a wheel, a directory or Debian packages",
      "  sockctl package add six-1.16.0-py2.py3-none-any.whl\n"
      "  pip install --no-deps --target d six && sockctl package add dir:d\n"
      "  sockctl package add dir:/srv/app --name app==1.0\n"
      "  sockctl package add deb:python3-pandas.deb,python3-pandas-lib.deb",
      [](Invocation& i) { return package_add(i.globals, i.package); });
  verb.add_option("SOURCE", add.source, "FILE.whl, dir:DIR or deb:FILE[,FILE...]")
      ->required()
      ->type_name("");
  verb.add_option("--name", add.name, "What a directory is, where it does not tell itself")
      ->type_name("NAME==VERSION");
  add_format(verb, invocation);
  CLI::App& fetch = add_taking_verb(
      group, invocation, "fetch", "Take Debian packages in, with what they need, by apt-get",
      "  sockctl package fetch pandas && sockctl run --package pandas -v ./job.py:/job.py -- "
      "python3 "
      "/job.py\n"
      "\nNo maintainer script is run, and nothing is installed.",
      [](Invocation& i) { return package_fetch(i.globals, i.package); });
  fetch.add_option("NAME", invocation.package.packages, "NAME, of python3-NAME")
      ->required()
      ->type_name("");
  add_format(fetch, invocation);
}

void describe_compiling(CLI::App& group, Invocation& invocation) {
  CLI::App& verb = add_package_verb(
      group, invocation, "compile",
      "Compile the modules of packages, so that importing them is fast",
      "  sockctl package compile numpy pandas==1.5.3\n"
      "  sockctl package compile --image py numpy\n"
      "\nThe interpreter runs in a container, and nothing of the packages is run. `add` and "
      "`fetch` do\n"
      "this for the machine's own python3; here it can be another's.",
      [](Invocation& i) { return package_compile(i.globals, i.package); }, add_host_verb);
  RunOptions& interpreter = invocation.package.interpreter;
  verb.add_option("--rootfs", interpreter.rootfs, "The root with the interpreter: a directory")
      ->type_name("DIR");
  verb.add_option("--image", interpreter.image,
                  "Or an image; host (the default) is the machine's own /usr")
      ->type_name("NAME[:TAG|@DIGEST]");
  verb.add_option("--image-store", interpreter.image_store, "Where the images are")
      ->type_name("DIR");
  verb.add_option("--python", interpreter.python, "Its version (as python3 in the root)")
      ->type_name("3.N");
  add_packages(verb, invocation);
  add_format(verb, invocation);
}

void describe_listing(CLI::App& group, Invocation& invocation) {
  CLI::App& ls = add_package_verb(group, invocation, "ls", "List the packages",
                                  "  sockctl package ls\n  sockctl package ls --format json",
                                  [](Invocation& i) { return package_ls(i.globals, i.package); });
  ls.add_flag("-q,--quiet", invocation.package.quiet, "Print names and versions only");
  add_format(ls, invocation);
  CLI::App& inspect =
      add_package_verb(group, invocation, "inspect", "Show all that is known of packages, as JSON",
                       "  sockctl package inspect numpy",
                       [](Invocation& i) { return package_inspect(i.globals, i.package); });
  add_packages(inspect, invocation);
  add_format(inspect, invocation);
}

void describe_upkeep(CLI::App& group, Invocation& invocation) {
  add_packages(add_package_verb(group, invocation, "rm", "Take packages out; gc frees the space",
                                "  sockctl package rm numpy==1.24.2 && sockctl package gc",
                                [](Invocation& i) { return package_rm(i.globals, i.package); }),
               invocation);
  CLI::App& verify =
      add_package_verb(group, invocation, "verify", "Re-read every file of packages, and compare",
                       "  sockctl package verify numpy\n"
                       "\nExit status: 0 when all is as taken in, 1 when something is not.",
                       [](Invocation& i) { return package_verify(i.globals, i.package); });
  add_packages(verify, invocation);
  add_format(verify, invocation);
  add_format(add_package_verb(group, invocation, "gc", "Remove what was taken out and nobody uses",
                              "  sockctl package gc",
                              [](Invocation& i) { return package_gc(i.globals, i.package); }),
             invocation);
}

}  // namespace

void describe_package(CLI::App& app, Invocation& invocation) {
  CLI::App& group =
      add_group(app, "package", "Packages: read-only directories for containers, in a cache",
                "  sockctl package add six-1.16.0-py2.py3-none-any.whl\n"
                "  sockctl run --package six -- python3 -c 'import six'\n"
                "  sockctl package add --help");
  describe_taking_in(group, invocation);
  describe_compiling(group, invocation);
  describe_listing(group, invocation);
  describe_upkeep(group, invocation);
}

}  // namespace sockctl
