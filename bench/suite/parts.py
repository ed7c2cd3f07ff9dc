"""What scripts/bench runs: each program of bench/, with what it is asked for and how long it may take."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from measure import forklift

PROJECT = Path(__file__).resolve().parent.parent.parent
FULL, QUICK, SMOKE = "full", "quick", "smoke"
MARKDOWN = ("--markdown",)


@dataclass(frozen=True)
class Part:
    name: str  # Of the program in bench/, of its JSON, and of its section.
    title: str
    question: str  # What is measured, and what is compared with what.
    arguments: dict[str, tuple[str, ...]]  # By the size of the run; a size that is missing leaves the part out.
    seconds: dict[str, int]  # After which it is ended.
    needs: tuple[str, ...] = ()  # Of the build.
    own: tuple[str, ...] = ("--markdown", "--json", "DATA", "--build", "BUILD")  # What every size has.
    program: str = ""  # Of the build, instead of one in bench/.

    def command(self, size: str, build: Path, data: Path) -> list[str]:
        words = {"BUILD": str(build), "DATA": str(data)}
        first = str(build / self.program) if self.program else str(PROJECT / "bench" / self.name)
        return [first, *self.arguments[size], *(word.replace("DATA", words["DATA"]) if "DATA" in word else words.get(word, word)
                                               for word in self.own)]

    def missing(self, build: Path) -> str:
        """Why it cannot run here."""
        absent = [program for program in (*self.needs, *([self.program] if self.program else [])) if not (build / program).exists()]
        return f"not built: {', '.join(absent)}" if absent else ""


PAUSE = ("--benchmark_filter=pause", "--benchmark_enable_random_interleaving=true", "--benchmark_out_format=json",
         "--benchmark_out=DATA")
IMAGES = PROJECT / "build/bench-images"

PARTS = (
    Part("peers", "Creating a container",
         "From the first system call for a container to its being reaped and given back, payload static: the library beside a C program "
         "that makes the same system calls, and beside other tools as one uses them (the commands are below).",
         {FULL: (), QUICK: ("--quick",), SMOKE: ("--quick", "--only", "sock", "--only", "C reference")},
         {FULL: 900, QUICK: 150, SMOKE: 120}, needs=("bench/driver", "bench/reference")),
    Part("launch", "Pausing a container",
         "Pausing and resuming a container, beside the two writes to the freezer of its v2 cgroup: alone, and until the kernel says that "
         "they are done. Interleaved at random, repeated.",
         {FULL: ("--benchmark_repetitions=20", "--benchmark_min_time=0.1"), QUICK: ("--benchmark_repetitions=8", "--benchmark_min_time=0.05"),
          SMOKE: ("--benchmark_repetitions=2", "--benchmark_min_time=0.01")},
         {FULL: 120, QUICK: 60, SMOKE: 60}, own=PAUSE, program="bench/bench_launch"),
    Part("zygote", "Forking a zygote",
         "From the request to the first statement of a Python payload: a container forked from a zygote, isolated, beside `os.fork()`, "
         "a forkserver and a fresh interpreter, which are not isolated, and beside a created container that imports the same.",
         {FULL: ("--within", "180"), QUICK: ("--quick",), SMOKE: ("--quick", "--set", "bare")}, {FULL: 900, QUICK: 150, SMOKE: 120},
         needs=("bench/zygote_driver", "bench/zygote_memory")),
    Part("restore", "Containers from snapshots",
         "From the request to the payload's answer: containers restored by CRIU and forked from a zygote's snapshot, beside CRIU's own "
         "program with nothing around it, a fork of the living zygote, and a created container that imports the same.",
         {FULL: ("--within", "160"), QUICK: ("--quick",)}, {FULL: 1000, QUICK: 210}, needs=("bench/restore_driver", "bench/restore_memory")),
    Part("functions", "Calling functions through sockd",
         "From a request over a kept connection to its response: with a new instance, one that was paused, one that has just answered; "
         "beside a fresh `python3` for each request that imports the same.",
         {FULL: (), QUICK: ("--quick",)}, {FULL: 700, QUICK: 240}, needs=("tools/sockd/sockd", "tools/sockctl/sockctl")),
    Part("workload", "Hundreds of functions, each called once",
         "Forklift's second workload through sockd, whose zygotes have grown with the first one: every call is a cold start. Beside it a sample "
         "of the same functions, each as a fresh `python3`.",
         {FULL: (), QUICK: ("--quick",)}, {FULL: 450, QUICK: 120}, needs=("tools/sockd/sockd", "tools/sockctl/sockctl")),
    Part("import_cache", "Import trees",
         "Forklift's second workload over trees that were fitted to its first: ours beside Forklift's, by number of zygotes. Packages burn "
         "the CPU time and the memory that were recorded for the real ones.",
         {FULL: ("--rounds", "2"), QUICK: ("--quick",)}, {FULL: 900, QUICK: 120}, needs=("bench/import_cache_replay",)),
    Part("image_load", "Images",
         "Unpacking an image of Debian with numpy, pandas and scikit-learn, beside other tools; starting from one whose files are not in "
         "memory, with and without prefetch; reading many files, by engine and depth.",
         {FULL: ("--within", "450"), QUICK: ("--quick", "--only", "cold", "--only", "depth")}, {FULL: 1000, QUICK: 120},
         needs=("bench/prefetch_driver", "tools/sockctl/sockctl")),
    Part("kernel_costs", "What the kernel charges",
         "The SOCK paper's measurements of mounts, namespaces and cgroups, again, on this machine's kernel: bare system calls, without the library.",
         {FULL: (), QUICK: ("--quick",), SMOKE: ("--quick", "--only", "cgroup")}, {FULL: 300, QUICK: 60, SMOKE: 60},
         needs=("bench/kernel_costs_driver",)),
    Part("growth", "How costs grow, and how many fit",
         "The cost of one more container by the number of those that are there, and by the size of the zygote; what each idle one holds.",
         {FULL: (), QUICK: ("--quick",), SMOKE: ("--smoke",)}, {FULL: 900, QUICK: 150, SMOKE: 60}, needs=("bench/growth_driver",)),
)


def why_not(part: Part, size: str, build: Path) -> str:
    """It is left out, which is no failure: neither the images nor a mirror may be there in a short run."""
    if size not in part.arguments:
        return f"left out of a {size} run"
    if part.name == "image_load" and size != FULL and not (IMAGES / "root.tar").exists():
        return "its images are made by a full run (minutes, from Debian's packages)"
    if part.name in ("import_cache", "workload") and not forklift.DATA.exists():
        return f"Forklift's data is not beside the project (bench/{part.name} --data)"
    return ""


def what_lacks(part: Part, build: Path) -> str:
    """What should be there and is not: such a part has failed."""
    if reason := part.missing(build):
        return reason
    if part.name == "restore" and not Path("/opt/sock-criu/sbin/criu").exists():
        return "no CRIU (hint: scripts/install-criu)"
    if part.name == "image_load" and (absent := [name for name in ("umoci", "skopeo", "bsdtar", "mmdebstrap") if not shutil.which(name)]):
        return f"not installed: {', '.join(absent)} (hint: scripts/install-packages --bench)"
    return ""
