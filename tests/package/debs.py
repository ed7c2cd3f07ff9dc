"""Debian packages, made by hand: an ar archive of two tar archives."""

import io
import subprocess
import tarfile
from pathlib import Path


def member(name: str, data: bytes) -> bytes:
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{0o100644:<8o}{len(data):<10}`\n".encode()
    return head + data + b"\n" * (len(data) % 2)


def tar(files: dict[str, bytes], modes: dict[str, int], device: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo("./" + name)
            entry.size, entry.mode = len(data), modes.get(name, 0o644)
            archive.addfile(entry, io.BytesIO(data))
        if device:
            entry = tarfile.TarInfo("./" + device)
            entry.type, entry.devmajor, entry.devminor = tarfile.CHRTYPE, 1, 3
            archive.addfile(entry)
    return out.getvalue()


def endless_header(size: int) -> bytes:
    """A sparse file of GNU tar, with so many bytes of holes behind its header."""
    entry = tarfile.TarInfo("./usr/lib/python3/dist-packages/holes")
    entry.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"00000000000\0" * 2
    header[482] = 1  # There are more.
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    block = b"00000000000\0" * 42 + b"\1" + bytes(7)
    return bytes(header) + block * (size // len(block)) + block[:504] + bytes(8)


def compressed(data: bytes, compression: str) -> bytes:
    program = {"xz": ("xz", "-0"), "zst": ("zstd", "-q"), "gz": ("gzip", "-1")}.get(compression)
    return subprocess.run(program, input=data, stdout=subprocess.PIPE, check=True).stdout if program else data


def make_deb(directory: Path, files: dict[str, bytes], name: str = "python3-demo", version: str = "1.0-1",
             architecture: str = "all", depends: str = "python3:any", modes: dict[str, int] | None = None,
             device: str = "", control: str = "", scripts: dict[str, str] | None = None,
             compression: str = "xz", before: bytes = b"") -> Path:
    """`before`: members of data.tar that tar would not write."""
    control = control or (f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
                          f"Depends: {depends}\nDescription: a test\n and more\n")
    inner = {"control": control.encode(), **{key: text.encode() for key, text in (scripts or {}).items()}}
    ending = f".{compression}" if compression else ""
    path = directory / f"{name}_{version}_{architecture}.deb"
    path.write_bytes(b"!<arch>\n" + member("debian-binary", b"2.0\n") +
                     member(f"control.tar{ending}", compressed(tar(inner, {}), compression)) +
                     member(f"data.tar{ending}", compressed(before + tar(files, modes or {}, device), compression)))
    return path
