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
