"""Wheels, as they should be and as they should not."""

import base64
import hashlib
import struct
import zipfile
from pathlib import Path

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def recorded(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def make(directory: Path, files: dict[str, bytes], name: str = "demo", version: str = "1.0",
         tags: str = "py3-none-any", requires: tuple[str, ...] = (), **changes) -> Path:
    """A wheel with these files, and metadata that fits unless `changes` says otherwise: record (a
    function of its lines), raw (a function of the ZipFile, called before it is closed), metadata
    and wheel (texts, or None to leave the file out), compression."""
    info = f"{name}-{version}.dist-info"
    metadata = METADATA.format(name=name, version=version) + "".join(f"Requires-Dist: {r}\n" for r in requires)
    own = {f"{info}/METADATA": changes.get("metadata", metadata), f"{info}/WHEEL": changes.get("wheel", WHEEL)}
    contents = {**files, **{path: text.encode() for path, text in own.items() if text is not None}}
    lines = [f"{path},{recorded(data)},{len(data)}" for path, data in contents.items()]
    lines.append(f"{info}/RECORD,,")
    lines = changes.get("record", lambda lines: lines)(lines)
    path = directory / f"{name}-{version}-{tags}.whl"
    with zipfile.ZipFile(path, "w", changes.get("compression", zipfile.ZIP_DEFLATED)) as wheel:
        for member, data in contents.items():
            wheel.writestr(member, data)
        if lines is not None:
            wheel.writestr(f"{info}/RECORD", "\n".join(lines) + "\n")
        changes.get("raw", lambda wheel: None)(wheel)
    return path


def link(target: str):
    """Adds a symlink to a wheel that is being made."""
    def add(wheel: zipfile.ZipFile) -> None:
        entry = zipfile.ZipInfo("demo_link")
        entry.create_system = 3
        entry.external_attr = 0o120777 << 16
        wheel.writestr(entry, target)
    return add


def encrypted(path: Path) -> None:
    """Sets the bit that says so in every header."""
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            value = struct.unpack_from("<H", data, at + flags)[0] | 1
            struct.pack_into("<H", data, at + flags, value)
            at = data.find(signature, at + 4)
    path.write_bytes(data)
