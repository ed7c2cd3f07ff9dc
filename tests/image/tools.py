"""Images as the tools of Debian write them, compared file by file with what umoci unpacks."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

from cases import expect
from registry import Registry
from trees import differences
from world import World


def call(world: World, *words: str) -> str:
    done = subprocess.run(words, cwd=world.path / "m", capture_output=True, text=True, check=False,
                          env={**os.environ, "TMPDIR": str(world.path / "m"), "XDG_RUNTIME_DIR": str(world.path / "m")})
    expect(done.returncode == 0, f"{' '.join(words[:3])}: {done.stderr.strip()[-300:]}")
    return done.stdout


def fill(root: Path) -> None:
    """Everything that a layer can hold."""
    for name in ("bin", "etc", "tmp", "usr/lib", "opaque/sub", "gone/dir", "locked", "n" * 200 + "/" + "m" * 200):
        (root / name).mkdir(parents=True)
    (root / "bin/tool").write_bytes(os.urandom(70_000))
    os.chmod(root / "bin/tool", 0o4755)
    (root / "bin/link").symlink_to("tool")
    (root / "etc/hello").write_text("hello\n")
    os.link(root / "etc/hello", root / "etc/again")
    os.setxattr(root / "etc/hello", "user.note", b"\0binary\xff")
    capability = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw, effective
    os.setxattr(root / "bin/tool", "security.capability", capability)
    os.utime(root / "etc/hello", ns=(10**18, 981_173_106_789_000_000))
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n")
    os.chmod(root / "tmp", 0o1777)
    os.mkfifo(root / "tmp/fifo")
    for name in ("opaque/a", "opaque/sub/b", "gone/dir/x", "gone.txt", "locked/secret", "n" * 200 + "/" + "m" * 200 + "/long"):
        (root / name).write_text(name)
    os.chown(root / "opaque/a", 123, 456)
    os.chmod(root / "locked", 0)
    with open(os.fsencode(root) + b"/bad\xff", "wb") as file:
        file.write(b"not UTF-8")
    (root / "gr\u00fc\u00df").write_text("UTF-8")
    with open(root / "sparse", "wb") as file:
        file.truncate(5 << 20)
        file.seek(5 << 20)
        file.write(b"end")


def change(root: Path) -> None:
    """What a second layer says of the first: a replaced directory, removals, another type."""
    for path in (root / "opaque").rglob("*"):
        if path.is_file():
            path.unlink()
    (root / "opaque/sub").rmdir()
    (root / "opaque/new").write_text("new")
    for name in ("gone/dir/x", "gone.txt", "bin/link"):
        (root / name).unlink()
    (root / "gone/dir").rmdir()
    (root / "gone").rmdir()
    (root / "bin/link").mkdir()
    (root / "bin/link/in").write_text("a directory now")
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\nnew:x:7:7::/:\n")


def build(world: World) -> Path:
    """A layout of two layers by umoci, and where umoci has unpacked it."""
    made = world.path / "m"
    made.mkdir()
    call(world, "umoci", "init", "--layout", "L")
    call(world, "umoci", "new", "--image", "L:t")
    for bundle, step in (("b1", fill), ("b2", change)):
        call(world, "umoci", "unpack", "--image", "L:t", bundle)
        step(made / bundle / "rootfs")
        call(world, "umoci", "repack", "--image", "L:t", bundle)
    call(world, "umoci", "config", "--image", "L:t", "--config.env", "A=b", "--config.user", "app",
         "--config.workingdir", "/etc", "--config.cmd", "/bin/tool")
    call(world, "umoci", "unpack", "--image", "L:t", "unpacked")
    return made / "unpacked/rootfs"


def is_the_same(world: World, source: str, unpacked: Path) -> dict:
    image = world.add(source)
    found = differences(str(unpacked), str(world.root()))
    expect(not found, "; ".join(found[:5]))
    world.verifies()
    return image


def as_umoci_unpacks_it(world: World) -> None:
    unpacked = build(world)
    image = is_the_same(world, f"oci:{world.path}/m/L:t", unpacked)
    config = image["config"]
    expect((config["user"], config["workdir"], config["cmd"]) == ("app", "/etc", ["/bin/tool"]), f"{config}")
    expect("A=b" in config["env"] and len(image["layers"]) == 2, f"{image}")
    # By another way it is the same image, and nothing is unpacked again.
    for kind, file in (("oci-archive", "a.tar:t"), ("docker-archive", "d.tar:me/app:7")):
        call(world, "skopeo", "copy", "oci:L:t", f"{kind}:{file}")
    inodes = os.stat(world.root() / "etc/hello").st_ino
    for source in ("oci-archive:{}/a.tar", "oci-archive:{}/a.tar:t", "docker-archive:{}/d.tar",
                   "docker-archive:{}/d.tar:me/app:7"):
        again = is_the_same(world, source.format(world.path / "m"), unpacked)
        expect(again["id"] == image["id"], f"{source}: another image")
    expect(os.stat(world.root() / "etc/hello").st_ino == inodes, "unpacked again")


def archives_by_skopeo(world: World) -> None:
    unpacked = build(world)
    call(world, "skopeo", "copy", "oci:L:t", "docker-archive:d.tar:me/app:7")
    is_the_same(world, f"docker-archive:{world.path}/m/d.tar", unpacked)


def layers_in_zstd(world: World) -> None:
    unpacked = build(world)
    call(world, "skopeo", "copy", "--dest-compress", "--dest-compress-format", "zstd", "oci:L:t",
         "oci:Z:t")
    blobs = [blob.read_bytes()[:4] for blob in (world.path / "m/Z/blobs/sha256").iterdir()]
    if b"\x28\xb5\x2f\xfd" not in blobs:  # Some releases copy what is compressed already.
        repack_as_zstd(world)
    is_the_same(world, f"oci:{world.path}/m/Z:t", unpacked)


def repack_as_zstd(world: World) -> None:
    blobs = world.path / "m/Z/blobs/sha256"
    index = json.loads((world.path / "m/Z/index.json").read_text())
    manifest = json.loads((blobs / index["manifests"][0]["digest"][7:]).read_text())
    from layouts import sha256
    for layer in manifest["layers"]:
        packed = subprocess.run(["sh", "-c", f"gunzip -c <{blobs / layer['digest'][7:]} | zstd -q -c"],
                                capture_output=True, check=True).stdout
        (blobs / sha256(packed)).write_bytes(packed)
        layer.update(digest="sha256:" + sha256(packed), size=len(packed),
                     mediaType="application/vnd.oci.image.layer.v1.tar+zstd")
    text = json.dumps(manifest).encode()
    (blobs / sha256(text)).write_bytes(text)
    index["manifests"][0].update(digest="sha256:" + sha256(text), size=len(text))
    (world.path / "m/Z/index.json").write_text(json.dumps(index))


def exported_it_is_the_same(world: World) -> None:
    """In each form: for umoci, and when it comes back."""
    unpacked = build(world)
    world.add(f"oci:{world.path}/m/L:t", "app:v1")
    made = world.path / "m"
    for number, (form, compression) in enumerate((("oci", "gzip"), ("oci", "zstd"), ("oci-archive", "none"))):
        name = f"x{number}"
        world.image("export", "app:v1", f"{form}:{made}/{name}:t", "--compress", compression)
        if compression == "gzip":  # Debian's umoci reads no other.
            call(world, "umoci", "unpack", "--image", f"{name}:t", f"{name}.out")
            found = differences(str(unpacked), str(made / f"{name}.out/rootfs"))
            expect(not found, f"umoci: {'; '.join(found[:5])}")
        call(world, "skopeo", "inspect", "--config", f"{form}:{name}:t")
        again = world.add(f"{form}:{made}/{name}:t", name)
        expect(again["config"]["cmd"] == ["/bin/tool"] and len(again["layers"]) == 2, f"{again}")
        path = made / f"{name}.root"
        path.symlink_to(root_of(world, again))
        found = differences(str(unpacked), str(path.resolve()))
        expect(not found, f"{form} {compression}: {'; '.join(found[:5])}")
        world.verifies(name)
    # What was exported twice is byte for byte the same.
    for name in ("y1", "y2"):
        world.image("export", "app:v1", f"oci-archive:{made}/{name}")
    expect((made / "y1").read_bytes() == (made / "y2").read_bytes(), "two exports differ")


def attributes_in_two_forms_are_one(world: World) -> None:
    """As bsdtar writes them."""
    (world.path / "m/tree").mkdir(parents=True)
    (world.path / "m/tree/file").write_text("x")
    os.setxattr(world.path / "m/tree/file", "user.note", b"one")
    call(world, "bsdtar", "--format", "pax", "--xattrs", "-C", "tree", "-cf", "layer.tar", "file")
    call(world, "umoci", "init", "--layout", "L")
    call(world, "umoci", "new", "--image", "L:t")
    call(world, "umoci", "raw", "add-layer", "--image", "L:t", "layer.tar")
    world.add(f"oci:{world.path}/m/L:t")
    expect(os.getxattr(world.root() / "file", "user.note") == b"one", "another value")
    world.verifies()


def pulled_from_a_registry(world: World) -> None:
    unpacked = build(world)
    with Registry(world.path / "m/registry") as registry:
        call(world, "skopeo", "copy", "--dest-tls-verify=false", "oci:L:t", registry.name("me/app:v1"))
        world.image("pull", registry.name("me/app:v1"), "--insecure", "--quiet")
        expect(world.image("ls", "--quiet") == f"{registry.address}/me/app:v1\n", world.image("ls"))
        found = differences(str(unpacked), str(world.root(f"{registry.address}/me/app:v1")))
        expect(not found, "; ".join(found[:5]))
        done = world.run("image", "pull", registry.name("me/app:v2"), "--insecure")
        expect(done.returncode == 125 and "skopeo" in done.stderr, f"{done.returncode}: {done.stderr}")
        done = world.run("image", "pull", registry.name("me/app:v1"))
        expect(done.returncode == 125, "plain HTTP without --insecure")


def pushed_to_a_registry(world: World) -> None:
    unpacked = build(world)
    world.add(f"oci:{world.path}/m/L:t", "app:v1")
    with Registry(world.path / "m/registry") as registry:
        for compression in ("gzip", "zstd"):
            pushed = world.image("push", "app:v1", registry.name(f"me/app:{compression}"), "--insecure", "--compress", compression)
            expect(pushed == f"app:v1 to {registry.name(f'me/app:{compression}')}\n", pushed)
            call(world, "skopeo", "copy", "--src-tls-verify=false", registry.name(f"me/app:{compression}"), f"oci:{compression}:t")
            world.image("pull", registry.name(f"me/app:{compression}"), "--insecure", "--quiet", "--name", compression)
            world.verifies(compression)
            found = differences(str(unpacked), str(root_of(world, json.loads(world.image("inspect", compression, "--format", "jsonl")))))
            expect(not found, "; ".join(found[:5]))
        done = world.run("image", "push", "app:v1", registry.name("me/app:v1"))
        expect(done.returncode == 125 and "skopeo" in done.stderr, f"plain HTTP without --insecure: {done.stderr}")
        for image, target, status in (("none", registry.name("none"), 125), ("app:v1", "me/app", 2)):
            done = world.run("image", "push", image, target, "--insecure")
            expect(done.returncode == status and done.stderr.count("\n") == 1, f"{image} to {target}: {done}")


def root_of(world: World, image: dict) -> Path:
    """By its chain of layers, as OCI defines it."""
    chain = image["layers"][0]["diff_id"]
    for layer in image["layers"][1:]:
        chain = "sha256:" + hashlib.sha256(f"{chain} {layer['diff_id']}".encode()).hexdigest()
    return world.store / "roots" / chain[7:] / "tree"


def changes_become_a_layer(world: World) -> None:
    build(world)
    world.add(f"oci:{world.path}/m/L:t", "app:v1")
    out = world.path / "m/out"
    (out / "srv").mkdir(parents=True)
    (out / "srv/made").write_text("by a container")
    world.image("export", "app:v1", f"oci:{world.path}/m/X", "--changes", str(out))
    image = world.add(f"oci:{world.path}/m/X", "app:v2")
    expect(len(image["layers"]) == 3, f"{image}")
    root = root_of(world, image)
    expect((root / "srv/made").read_text() == "by a container" and (root / "bin/tool").exists(), "its files")


def an_export_leaves_all_or_nothing(world: World) -> None:
    build(world)
    world.add(f"oci:{world.path}/m/L:t", "app:v1")
    target = world.path / "m/T"
    target.mkdir()
    for to, reason in ((f"oci:{target}", "exists"), (f"oci:{world.path}/m/missing/T", "not_found"),
                       (f"oci:{world.path}/m/..", "name of its own")):
        done = world.run("image", "export", "app:v1", to)
        expect(done.returncode in (2, 125) and reason in done.stderr, f"{to}: {done.stderr}")
    expect(world.run("image", "export", "app:v1", f"dir:{target}").returncode == 2, "a target of another kind")
    # A file of the store that has become shorter must not end in an image.
    tool = world.root("app:v1") / "bin/tool"
    os.truncate(tool, 5)
    done = world.run("image", "export", "app:v1", f"oci:{world.path}/m/U")
    expect(done.returncode == 125 and "shorter" in done.stderr, f"{done.returncode}: {done.stderr}")
    left = [path.name for path in (world.path / "m").iterdir() if path.name.startswith((".", "U"))]
    expect(not left and not list(target.iterdir()), f"left behind: {left}")


def an_image_by_buildah(world: World) -> None:
    (world.path / "m").mkdir()
    storage = ["--root", str(world.path / "m/storage"), "--runroot", str(world.path / "m/runroot"),
               "--storage-driver", "vfs"]
    name = call(world, "buildah", *storage, "from", "scratch").strip()
    (world.path / "m/file").write_text("by buildah\n")
    call(world, "buildah", *storage, "copy", name, "file", "/srv/file")
    call(world, "buildah", *storage, "config", "--entrypoint", '["/bin/app"]', "--cmd", "x", name)
    call(world, "buildah", *storage, "commit", "--quiet", name, "oci:B:t")
    call(world, "umoci", "unpack", "--image", "B:t", "unpacked")
    image = is_the_same(world, f"oci:{world.path}/m/B:t", world.path / "m/unpacked/rootfs")
    expect(image["config"]["entrypoint"] == ["/bin/app"], f"{image['config']}")


def a_plain_directory(world: World) -> None:
    unpacked = build(world)
    first = is_the_same(world, f"dir:{unpacked}", unpacked)
    expect(world.add(f"dir:{unpacked}", "again")["id"] == first["id"], "another image of the same files")


TESTS = [as_umoci_unpacks_it, archives_by_skopeo, layers_in_zstd, an_image_by_buildah, a_plain_directory,
         exported_it_is_the_same,
         attributes_in_two_forms_are_one, pulled_from_a_registry, pushed_to_a_registry, changes_become_a_layer, an_export_leaves_all_or_nothing]
