"""Two trees of files, compared in everything that an image can say."""

import hashlib
import os
import stat


def describe(root: str) -> tuple[dict, list]:
    entries: dict[bytes, tuple] = {}
    names_of: dict[int, list[bytes]] = {}

    def visit(path: bytes, relative: bytes) -> None:
        found = os.lstat(path)
        kind = stat.S_IFMT(found.st_mode)
        facts: list = [kind, found.st_uid, found.st_gid, int(found.st_mtime)]
        if kind == stat.S_IFLNK:
            facts.append(os.readlink(path))
        else:
            facts.append(stat.S_IMODE(found.st_mode))
            facts.append(sorted((name, os.getxattr(path, name)) for name in os.listxattr(path)))
        if kind == stat.S_IFREG:
            with open(path, "rb") as file:
                facts += [found.st_size, hashlib.sha256(file.read()).hexdigest()]
        if kind != stat.S_IFDIR:
            names_of.setdefault(found.st_ino, []).append(relative)
        entries[relative] = tuple(map(str, facts))
        if kind == stat.S_IFDIR:
            for name in os.listdir(path):
                visit(path + b"/" + name, relative + b"/" + name)

    visit(os.fsencode(root), b"")
    return entries, sorted(sorted(names) for names in names_of.values() if len(names) > 1)


def differences(one: str, other: str) -> list[str]:
    first, first_links = describe(one)
    second, second_links = describe(other)
    found = [f"{path!r}: {first.get(path)} and {second.get(path)}"
             for path in sorted(first.keys() | second.keys()) if first.get(path) != second.get(path)]
    if first_links != second_links:
        found.append(f"hard links: {first_links} and {second_links}")
    return found
