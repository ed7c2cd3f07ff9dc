"""Image layouts, written by hand: what no honest tool would write is in here too."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry(name: str | bytes, kind: bytes = tarfile.REGTYPE, data: bytes = b"", **fields) -> bytes:
    """One entry of a tar file, headers and data; `pax` may override what no ustar header can say."""
    info = tarfile.TarInfo(name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
    info.type, info.size = kind, len(data)
    pax = fields.pop("pax", {})
    for key, value in fields.items():
        setattr(info, key, value)
    head = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    return pax_header(pax) + head + data + b"\0" * (-len(data) % 512)


def pax_header(records: dict[str, str | bytes]) -> bytes:
    if not records:
        return b""
    body = b""
    for key, value in records.items():
        raw = value if isinstance(value, bytes) else value.encode()
        rest = b" " + key.encode() + b"=" + raw + b"\n"
        size = len(rest) + 1
        while len(str(size)) + len(rest) != size:
            size = len(str(size)) + len(rest)
        body += str(size).encode() + rest
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(body)
    return info.tobuf(tarfile.USTAR_FORMAT) + body + b"\0" * (-len(body) % 512)


def directory(name: str, **fields) -> bytes:
    return entry(name, tarfile.DIRTYPE, mode=fields.pop("mode", 0o755), **fields)


def symlink(name: str, target: str) -> bytes:
    return entry(name, tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str) -> bytes:
    return entry(name, tarfile.LNKTYPE, linkname=target)


def tar(*entries: bytes) -> bytes:
    return b"".join(entries) + b"\0" * 1024


def zstd(data: bytes, window_log: int = 17) -> bytes:
    """A frame that asks for such a window: blocks as they are, and where one is all of one byte, a run of it."""
    most = 128 << 10
    # What an archive begins with is in small blocks, so that what follows are runs.
    starts = [*range(0, min(2048, len(data)), 512), *range(2048, len(data), most)]
    frame = bytearray(b"\x28\xb5\x2f\xfd\0" + bytes([window_log - 10 << 3]))
    for start, end in zip(starts, [*starts[1:], len(data)]):
        piece = data[start:end]
        is_run = piece == piece[:1] * len(piece)
        frame += (len(piece) << 3 | is_run << 1 | (end == len(data))).to_bytes(3, "little")
        frame += piece[:1] if is_run else piece
    return bytes(frame)


@dataclass
class Layout:
    """An OCI image layout in a directory. The fields that are callables may spoil what they get."""

    path: Path
    layers: list[bytes]  # tar streams, from the lowest
    pack: object = lambda data: data
    config: dict = field(default_factory=dict)
    architecture: str = "amd64"
    spoil_blob: object = lambda blob: blob  # after its digest was taken
    spoil_manifest: object = lambda manifest: None
    spoil_config: object = lambda config: None

    def write(self) -> "Layout":
        (self.path / "blobs/sha256").mkdir(parents=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        descriptors = []
        for layer in self.layers:
            blob = self.pack(layer)
            descriptors.append({"mediaType": LAYER, "digest": f"sha256:{sha256(blob)}", "size": len(blob)})
            self.put(self.spoil_blob(blob), sha256(blob))
        config = {"architecture": self.architecture, "os": "linux", "config": self.config,
                  "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(la)}" for la in self.layers]}}
        self.spoil_config(config)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": self.put_json(config, CONFIG), "layers": descriptors}
        self.spoil_manifest(manifest)
        index = self.put_json(manifest, MANIFEST)
        index["annotations"] = {"org.opencontainers.image.ref.name": "t"}
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [index]}))
        return self

    def put(self, data: bytes, name: str) -> None:
        (self.path / "blobs/sha256" / name).write_bytes(data)

    def put_json(self, value: dict, media_type: str) -> dict:
        data = json.dumps(value).encode()
        self.put(data, sha256(data))
        return {"mediaType": media_type, "digest": f"sha256:{sha256(data)}", "size": len(data)}


def gzipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(data)
    return out.getvalue()
