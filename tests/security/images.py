"""Images with something planted in them."""

from pathlib import Path


def make_image(world, name: str, links: dict[str, str]) -> Path:
    """A root whose /usr is the machine's; links are planted where mounts are going to be."""
    root = world.root / "images" / name
    (root / "usr").mkdir(parents=True)
    for directory in ("bin", "lib", "lib64", "sbin"):
        (root / directory).symlink_to(f"usr/{directory}")
    for place in ("dev", "proc", "tmp", "etc"):
        if place not in links:
            (root / place).mkdir()
    for place, target in links.items():
        (root / place).symlink_to(target)
    return root
