"""Kernels of the distribution, downloaded and unpacked; nothing is installed."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# What mounting an ext4 disk takes, in the order in which they need each other. What is not there is
# built into the kernel.
DISK_MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
                "virtio_blk")


@dataclass(frozen=True)
class Kernel:
    image: Path
    modules: tuple[Path, ...]


class Unavailable(Exception):
    """Says which package cannot be had, and what may help."""


def fetch(package: str, directory: Path) -> Kernel:
    """`package` is the one that depends on the newest kernel of its series. Keeps what it has."""
    name = _newest(package)
    place = directory / name
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        _unpack(name, place)
        (place / "complete").touch()
    images = list(place.glob("boot/vmlinuz-*"))
    if len(images) != 1:
        raise Unavailable(f"{name} holds {len(images)} kernels")
    return Kernel(images[0], tuple(_modules(place)))


def _newest(package: str) -> str:
    listed = subprocess.run(["apt-cache", "depends", package], capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        kind, _, name = line.strip().partition(": ")
        if kind == "Depends" and name.startswith("linux-image-"):
            return name
    raise Unavailable(f"no package {package} (hint: apt-get update; these are kernels of Debian 12)")


def _unpack(name: str, place: Path) -> None:
    # As root even where apt would rather be nobody, who cannot write here.
    download = ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", name]
    done = subprocess.run(download, cwd=place, capture_output=True, text=True)
    packages = list(place.glob("*.deb"))
    if done.returncode != 0 or len(packages) != 1:
        raise Unavailable(f"{name} cannot be downloaded: {done.stderr.strip()}")
    subprocess.run(["dpkg-deb", "--extract", packages[0], place], check=True)
    packages[0].unlink()


def _modules(place: Path):
    found = {file.name.removesuffix(".xz").removesuffix(".ko"): file
             for file in place.glob("lib/modules/*/kernel/**/*.ko*")}
    return (found[name] for name in DISK_MODULES if name in found)
