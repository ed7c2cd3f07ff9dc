"""ESC: out through files, descriptors, mounts and procfs."""

import subprocess

import esc_images
import esc_leftovers
import esc_races
from images import make_image
from model import MOUNTING, PLAIN_ROOT, UNCONFINED, USER, Control, Failure, Probe, Scenario, check

WEAK = ("-v", "@weak:/weak:rw")
IN_WEAK = Control(WEAK)
MOUNTER = Control(MOUNTING, PLAIN_ROOT)
ALL = "URZ"


DESCRIPTORS = range(3, 17)


def strange_working_directories(world, starter) -> str:
    places = [f"/proc/self/fd/{n}" for n in DESCRIPTORS]
    places += ["/proc/self/cwd/..", "/proc/1/root", "/proc/1/cwd"]
    return _try_all(world, lambda place: starter.run(PLAIN_ROOT, ("-w", place), *_look(world)), places)


def linked_working_directory(world, starter) -> str:
    """The same, when only the image is hostile."""
    image = make_image(world, "workdir", {f"work{n}": f"/proc/self/fd/{n}" for n in DESCRIPTORS})
    options = ("--rootfs", str(image), "-v", "/usr:/usr:ro", "-w")
    return _try_all(world, lambda place: starter.run(USER, (*options, place), *_look(world)),
                    [f"/work{n}" for n in DESCRIPTORS])


def working_directory_of_exec(world, starter) -> str:
    starter.sockctl("run", "-d", "--name", "workdir", "-u", "0", "--", "sleep", "60")
    try:
        def start(place):
            return starter.sockctl("exec", "-w", place, "workdir", "--", *_look(world))
        return _try_all(world, start, [f"/proc/self/fd/{n}" for n in DESCRIPTORS])
    finally:
        for verb in ("kill", "wait", "rm"):
            starter.sockctl(verb, "workdir")


def _look(world) -> tuple[str, ...]:
    up = "../" * 8
    return "/bin/sh", "-c", f"cat {world.canary} {up}{world.canary} 2>/dev/null; pwd -P"


def _try_all(world, start, places: list[str]) -> str:
    """A directory that getcwd() does not know is not below the root."""
    refused, outside = 0, []
    for place in places:
        result = start(place)
        if result.returncode in (125, 126):
            refused += 1
        elif world.secret in result.stdout:
            outside.append(f"-w {place}: the secret was read")
        elif "getcwd() failed" in result.stderr:
            outside.append(f"-w {place}: a directory outside of the root")
    check(not outside, "\n".join(outside))
    return f"{refused} of {len(places)} refused, the others inside"


def hostile_image(world, starter) -> str:
    outside = world.root / "outside"
    outside.mkdir(mode=0o777)
    climb = f"/../../../../..{outside}"
    flips = {place: {place: climb} for place in ("dev", "proc", "tmp", "etc", "handler")}
    flips |= {f"dev-{name}": {f"dev/{name}": climb} for name in ("pts", "shm", "null", "console")}
    flips |= {"relative": {"tmp": f"../../../../../../..{outside}"}, "proc-self": {"tmp": "proc/self/root"}}
    seen = []
    for name, links in {"honest": {}, **flips}.items():
        image = make_image(world, name, links)
        options = ("--rootfs", str(image), "-v", "/usr:/usr:ro", "--handler", str(world.public))
        result = starter.run(PLAIN_ROOT, options, "/bin/sh", "-c",
                             f": >/tmp/f; : >/dev/shm/f; cat {world.canary}")
        check(world.secret not in result.stdout, f"{name}: the secret was read")
        check(not any(outside.iterdir()), f"{name}: {list(outside.iterdir())} appeared outside")
        check(result.returncode < 128, f"{name}: {result}")
        seen.append(f"{name}={result.returncode}")
        if name == "honest" and result.returncode in (2, 125, 126, 127):
            raise Failure(f"even an honest image does not start: {result}")
    return " ".join(seen)


def propagation(world, starter) -> str:
    result = starter.run(PLAIN_ROOT, MOUNTING, "/bin/sh", "-c",
                         "mount -t tmpfs seen-from-inside /tmp && cat /proc/self/mountinfo")
    check("seen-from-inside" in result.stdout, f"it could not mount: {result}")
    check("shared:" not in result.stdout, f"a shared mount inside:\n{result.stdout}")
    host = subprocess.run(["cat", "/proc/1/mountinfo", "/proc/self/mountinfo"], check=False,
                          capture_output=True, text=True).stdout
    check("seen-from-inside" not in host, "the mount appeared on the machine")
    return "private"


def contained_chroot(world, starter) -> str:
    options = (*UNCONFINED, "--cap-add", "sys_chroot")
    result = starter.payload(PLAIN_ROOT, options, ["ESC-04"])
    check("ALLOWED chroot" in result.stdout, f"chroot does not work even here: {result}")
    check("canary read" not in result.stdout and world.secret not in result.stdout,
          f"with CAP_SYS_CHROOT the canary can be read: {result.stdout}")
    return result.stdout.strip()


TESTS = [
    Probe("ESC-01", "no program of the machine opens for writing", IN_WEAK, ALL),
    Probe("ESC-02", "no descriptor but the three declared", IN_WEAK, ALL),
    Scenario("ESC-03", "a working directory in /proc stays inside", strange_working_directories),
    Scenario("ESC-03i", "nor does the image's link to one lead out", linked_working_directory),
    Scenario("ESC-03e", "nor that of a further process", working_directory_of_exec),
    Probe("ESC-04", "chroot is refused",
          Control((*UNCONFINED, "--cap-add", "sys_chroot"), PLAIN_ROOT), ALL),
    Scenario("ESC-04b", "the way out of a nested chroot leads nowhere", contained_chroot),
    Probe("ESC-06", "file handles do not open (shocker)",
          Control((*UNCONFINED, "--cap-add", "dac_read_search"), PLAIN_ROOT), ALL),
    Probe("ESC-07", "no way through /proc/N/{root,cwd,fd}", IN_WEAK, ALL),
    Probe("ESC-08", "no kernel setting opens for writing",
          Control(("-v", "/proc/sys/kernel:/weak:rw"), PLAIN_ROOT), ALL),
    Probe("ESC-09", "no cgroup file system, mounted or to mount (release_agent)", MOUNTER, ALL),
    Probe("ESC-10", "what is masked stays masked", MOUNTER, ALL),
    Scenario("ESC-12", "links of an image lead no mount outside (also ESC-13, ESC-16)", hostile_image),
    Scenario("ESC-20", "mounts do not propagate", propagation),
    Probe("ESC-21", "the mount table holds what was declared",
          Control((*WEAK, "--own-mounts")), ALL),
    Probe("ESC-21b", "a mount table of its own holds what was declared",
          None, ALL, options=("--own-mounts",)),
    Probe("ESC-22", "what is read-only stays read-only", MOUNTER, ALL),
    Probe("ESC-22b", "what is read-only stays read-only, with a mount table of its own",
          None, ALL, options=("--own-mounts",)),
    Probe("ESC-23", "set-user-ID gives nothing", Control(on_host=True), USER),
    Probe("ESC-24", "device nodes are neither made nor opened",
          Control((*UNCONFINED, "--cap-add", "mknod"), PLAIN_ROOT), ALL),
    Probe("ESC-25", "standard streams change nothing outside", Control(WEAK, PLAIN_ROOT), ALL),
    Probe("ESC-26", "no file system of a kind that had holes can be mounted, no page cache written",
          MOUNTER, ALL),
    *esc_images.TESTS, *esc_leftovers.TESTS, *esc_races.TESTS,
]
