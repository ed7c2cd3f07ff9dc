"""The images that bench/image_load measures with, made from Debian's packages and kept between runs."""

import json
import os
import random
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

PACKAGES = "python3-numpy,python3-pandas,python3-sklearn"
SUITE = "bookworm"
SMALL_FILES, SMALL_BYTES = 5000, 42_000_000
LARGE_BYTES = 100_000_000


def run(*words: object, **options) -> None:
    subprocess.run([str(word) for word in words], check=True, stdin=subprocess.DEVNULL, **options)


@dataclass(frozen=True)
class PythonImage:
    """Debian with a Python that has numpy, pandas and scikit-learn, in the forms that others take."""

    directory: Path

    @property
    def gzip(self) -> Path:  # An OCI layout, tag v1.
        return self.directory / "gzip"

    @property
    def zstd(self) -> Path:
        return self.directory / "zstd"

    @property
    def docker_archive(self) -> Path:
        return self.directory / "docker.tar"

    def blob(self, layout: Path) -> Path:
        """The only layer: by far the largest file."""
        return max((layout / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)

    def make(self) -> None:
        """Minutes, the first time; what is there is kept."""
        tree = self.directory / "root.tar"
        self.directory.mkdir(parents=True, exist_ok=True)
        if not tree.exists():
            part = self.directory / "part.tar"
            run("mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, part)
            part.rename(tree)
        if not self.gzip.exists():
            part = self.directory / "part"
            run("rm", "-rf", part)
            run("umoci", "init", "--layout", part)
            run("umoci", "new", "--image", f"{part}:v1")
            run("umoci", "raw", "add-layer", "--image", f"{part}:v1", tree)
            run("umoci", "gc", "--layout", part)
            part.rename(self.gzip)
        copy = ("skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{self.gzip}:v1")
        if not self.zstd.exists():
            part = self.directory / "part-zstd"
            run(*copy, "--dest-compress", "--dest-compress-format", "zstd", f"oci:{part}:v1")
            part.rename(self.zstd)
        if not self.docker_archive.exists():
            part = self.directory / "part-docker.tar"
            run(*copy, f"docker-archive:{part}:py:v1")
            part.rename(self.docker_archive)


def make_small_files(directory: Path) -> Path:
    """Many small files, of sizes as a tree of Python packages has them."""
    dice = random.Random(1)
    sizes = [dice.lognormvariate(0, 1.2) for _ in range(SMALL_FILES)]
    scale = SMALL_BYTES / sum(sizes)
    for number, size in enumerate(sizes):
        path = directory / f"d{number // 100}" / f"f{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(max(1, int(size * scale))))
    return directory


def make_large_file(directory: Path) -> Path:
    directory.mkdir(parents=True)
    with open(directory / "large", "wb") as file:
        for _ in range(LARGE_BYTES // (1 << 20)):
            file.write(os.urandom(1 << 20))
    return directory


def size_of(tree: Path) -> tuple[int, int]:
    """Entries and bytes in a tar file."""
    with tarfile.open(tree) as tar:
        sizes = [member.size for member in tar]
    return len(sizes), sum(sizes)


def summary(image: PythonImage) -> str:
    entries, size = size_of(image.directory / "root.tar")
    blobs = {form.name: image.blob(form).stat().st_size for form in (image.gzip, image.zstd)}
    return json.dumps({"entries": entries, "bytes": size, **blobs})
