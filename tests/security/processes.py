"""Processes of the machine, found by a word of their command line."""

from pathlib import Path


def with_marker(marker: str) -> list[str]:
    """Zombies have no command line: whoever started them reaps them."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal():
            try:
                words = (directory / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            # The word itself, not a command line that speaks of it.
            if marker in words and "sockctl" not in words[0]:
                found.append(f"{directory.name}: {' '.join(words)[:80]}")
    return found


def named_zombies(name: str) -> list[str]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = status.read_text(errors="replace").split(" (", 1)
        except OSError:
            continue
        program, _, fields = rest.rpartition(") ")
        if program == name and fields.startswith("Z"):
            found.append(pid)
    return found
