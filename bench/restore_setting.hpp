// What the measuring programs of bench/restore have in common: a Python that has imported packages,
// and the ways in which a container with it is made.

#pragma once

#include <optional>
#include <string>

#include "sock/sock.hpp"

/// `restore` is from a snapshot of a container in which the modules are imported, `copy` the same
/// with its memory copied instead of mapped, `thaw` a fork from the snapshot of a zygote that has
/// them, `fork` one from such a zygote itself, `create` starts an interpreter that imports them.
enum class How { restore, copy, thaw, fork, create };
/// Whether its payload has said that it is ready before the snapshot was written.
constexpr bool is_of_container(How how) {
  return how == How::restore || how == How::copy;
}

/// Whether each begins with nothing of its snapshot in the page cache; and whether it is the first
/// since the snapshot is in use, so that nobody knows yet what it will need.
enum class Cold { no, yes, first };

struct Arguments {
  How how = How::restore;
  std::string modules;
  std::string python;
  std::string state;
  std::string libexec;
  Cold cold = Cold::no;
};

struct Setting {
  Arguments arguments;
  sock::Host host;
  std::optional<sock::SnapshotStore> store = {};
  std::optional<sock::SnapshotInUse> snapshot = {};
  std::optional<sock::Snapshot> written = {};
  double writing_us = 0;  ///< What the snapshot has taken.
  std::optional<sock::ZygoteDomain> domain = {};
  std::optional<sock::Zygote> zygote = {};
  int creators = 0;
};

struct Pipe {
  sock::UniqueFd reader;
  sock::UniqueFd writer;
};

int complain(const sock::Error& error);  ///< Gives -1.
Pipe make_pipe();
bool reads(const Pipe& pipe, char expected);

/// Words like `--how restore --modules A,B --python PROGRAM --state DIR --libexec DIR`, and `--cold
/// yes|first`.
bool parse(int argc, char** argv, Arguments& arguments);
/// Complains of what fails.
std::optional<Setting> prepare(const Arguments& arguments);
/// Answers each byte with an x; one that is not restored says r before.
sock::Result<sock::Container> make(Setting& setting, const std::string& name,
                                   const sock::Stdio& stdio);
/// Before a life that is to be cold: nothing of the snapshot is in the page cache afterwards,
/// unless somebody has it mapped.
int forget_snapshot(Setting& setting);
