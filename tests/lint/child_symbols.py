"""What the code that shares its parent's memory calls: nothing but itself and a short list.

Any other symbol might allocate, lock, or touch state that another thread of the parent was just
changing. The objects are those of the library sock_child, found in the compilation database of the
debug build.
"""

import json
import subprocess
from pathlib import Path

ALLOWED = {
    "_GLOBAL_OFFSET_TABLE_",  # the linker's, for position-independent code
    # The compiler may call these for an assignment or an initialisation; they keep no state.
    "memcpy", "memmove", "memset",
}


def objects(build: Path) -> list[Path]:
    database = build / "compile_commands.json"
    if not database.exists():
        return []
    found = {Path(entry["directory"]) / entry["output"] for entry in json.loads(database.read_text())
             if "libsock_child.a" in entry["output"]}
    return sorted(path for path in found if path.exists())


def violations(build: Path) -> list[str]:
    files = objects(build)
    own = set().union(*(_names("--defined-only", file) for file in files))
    calls = [f"{file.relative_to(build)} calls {name}" for file in files
             for name in sorted(_names("--undefined-only", file) - own - ALLOWED)]
    # Of a weak function the linker may take another object's copy, which was compiled with sanitizers.
    weak = [f"{file.relative_to(build)} leaves it to the linker whose {name} it calls" for file in files
            for name in sorted(_weak(file))]
    return calls + weak


def _names(which: str, file: Path) -> set[str]:
    return set(_nm(which, "--format=just-symbols", str(file)).split())


def _weak(file: Path) -> set[str]:
    lines = (line.split() for line in _nm("--defined-only", "--format=posix", str(file)).splitlines())
    return {words[0] for words in lines if words[1] in "WV"}


def _nm(*arguments: str) -> str:
    return subprocess.run(["nm", *arguments], check=True, capture_output=True, text=True).stdout
