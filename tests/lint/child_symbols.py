"""What the code between clone3 and execve calls: nothing but itself and a short list.

Any other symbol might allocate, lock, or touch state that another thread of the parent was just
changing. The objects are found in the compilation database of the debug build.
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
    found = set()
    for entry in json.loads(database.read_text()):
        directory = Path(entry["directory"])
        source = Path(entry["file"])
        if "/lib/child/" in str((directory / source).resolve()):
            found.add(directory / entry["output"])
    return sorted(path for path in found if path.exists())


def violations(build: Path) -> list[str]:
    files = objects(build)
    own = set().union(*(_names("--defined-only", file) for file in files))
    return [f"{file.relative_to(build)} calls {name}" for file in files
            for name in sorted(_names("--undefined-only", file) - own - ALLOWED)]


def _names(which: str, file: Path) -> set[str]:
    command = ["nm", which, "--format=just-symbols", str(file)]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
