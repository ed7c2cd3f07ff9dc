"""Who may include whom: the table of layers in docs/architecture.md, checked over #include lines."""

import re
from pathlib import Path

BELOW_CONTAINER = {"base", "sys", "state", "isolation", "child", "container"}
# For each tree of files: the directories of lib/ that it may use. The longest match counts.
MAY_USE = {
    "include/sock": set(),
    **dict.fromkeys(("lib", "lib/c_api")),  # anything: host.cpp and the C API join it all
    "lib/base": {"base"}, "lib/sys": {"base", "sys"},
    "lib/wire": {"base", "sys", "wire"},
    # Removing a dead Host's cgroups is one file of isolation that the janitor links too.
    **dict.fromkeys(("lib/state", "tools/janitor"),
                    {"base", "sys", "state", "isolation/cgroup/removal.hpp"}),
    "lib/isolation": {"base", "sys", "isolation"},
    "lib/loader": {"base", "sys", "loader"},
    "lib/store": {"base", "sys", "loader", "store"},
    "lib/child": {"child", "sys/raw.hpp"},
    "lib/container": BELOW_CONTAINER,
    **{f"lib/{upper}": BELOW_CONTAINER | {"wire", "store", "loader", upper}
       for upper in ("zygote", "cache", "image", "checkpoint")},
    "zygote": {"base", "sys", "wire", "child"},  # a program of its own that shares the wire
    **{tree: set() for tree in ("tools", "bench", "examples", "tests/integration")},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
# What a public header may use beside sock/: the standard library, the C library, the kernel.
PUBLIC = re.compile(r"^(sock/.+|[a-z_0-9]+|(sys|linux)/\w+\.h|"
                    r"(errno|fcntl|sched|signal|stdbool|stddef|stdint|stdio|time|unistd)\.h)$")


def violations(project: Path, files: list[str]) -> list[str]:
    found = []
    for file in (file for file in files if file.endswith((".hpp", ".h", ".cpp", ".c"))):
        tree = max((t for t in MAY_USE if file.startswith(t + "/")), key=len, default="lib")
        if tree == "lib" and file.startswith("lib/") and file.count("/") > 1:
            found.append(f"{file}: its directory is in no layer")
        lines = [] if MAY_USE[tree] is None else (project / file).read_text().splitlines()
        for number, line in enumerate(lines, 1):
            if (match := INCLUDE.match(line)) and (why := refusal(project, file, tree, match[1])):
                found.append(f"{file}:{number}: {match[1]}: {why}")
    return found


def refusal(project: Path, file: str, tree: str, target: str) -> str | None:
    if tree == "include/sock" and not PUBLIC.match(target):
        return "a public header uses the standard library and sock/ only"
    if ".." in target or target.startswith("lib/"):
        return "only through an include directory"
    if (project / file).parent.joinpath(target).exists():  # a neighbour, not through the include path
        return "in lib/, includes start from lib/" if file.startswith("lib/") else None
    if (project / "lib" / target).exists() and not {target, target.split("/")[0]} & MAY_USE[tree]:
        return f"{tree} may not use this part of lib/"
    return None
