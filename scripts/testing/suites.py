"""The table of test suites: what scripts/test can run, and how.

To switch a planned suite on, delete its `planned=True`.
"""

from dataclasses import dataclass, field

# Nobody's ids, and the first ordinary user's; neither needs an entry in /etc/passwd.
NOBODY = 65534
ORDINARY_USER = 1000


@dataclass(frozen=True)
class Run:
    """One execution of a suite's program; its tests are reported as LABEL/TEST."""

    command: tuple[str, ...]
    label: str = ""
    env: dict[str, str] = field(default_factory=dict)
    user: int | None = None  # None: whoever runs scripts/test


@dataclass(frozen=True)
class Suite:
    name: str
    description: str
    runs: tuple[Run, ...]
    # gtest: JSON; tap: the Test Anything Protocol on stdout; plain: the exit status is one test.
    format: str
    timeout: int  # seconds, for all runs together
    build: str | None = "debug"  # the kind that scripts/build must have built
    targets: tuple[str, ...] = ()  # of that kind, where not all are needed
    requires: tuple[str, ...] = ()  # paths that must exist, beside the program itself
    packages: tuple[str, ...] = ()  # options of scripts/install-packages: what else is installed
    full_only: bool = False
    planned: bool = False  # its program does not exist yet: listed, not run


UNIT = "tests/unit/sock_unit"
SOCKD_LOOP = "tests/unit/sockd/loop/sockd_loop_unit"
INTEGRATION = "tests/integration/sock_integration"
SOCKD_PROGRAMS = ("tools/sockd/sockd", "tools/sockctl/sockctl", "libexec-programs", "native-objects")
SANITIZED = (UNIT, SOCKD_LOOP, INTEGRATION, "libexec-programs")


def built(program: str, kind: str = "debug") -> tuple[str, ...]:
    return (f"build/{kind}/{program}",)


ASAN = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


def script(name: str) -> tuple[Run, ...]:
    return (Run((f"tests/{name}/run",)),)


def sanitized(kind: str, env: dict[str, str]) -> tuple[Run, ...]:
    # The thread sanitizer of g++ 12 cannot start under today's address randomisation.
    prefix = ("setarch", "-R") if kind == "tsan" else ()
    return tuple(
        Run(prefix + built(program, kind), label, env)
        for label, program in (("unit", UNIT), ("loop", SOCKD_LOOP), ("integration", INTEGRATION))
    )


# Whole minutes of interpreters starting and memory being written, in which no fallback matters.
NOT_AGAIN = ("--gtest_filter=-" + ":".join((
    "ZygoteCrash.*", "HostileZygotes.*", "CarelessModules.*", "ZygoteSecrets.*", "ZygoteSiblings.*", "Zygotes.GrowTrees*",
    "Zygotes.NameWhat*", "NativeZygotes.NameWhat*", "PythonRuntime.IsTheSame*", "MappedMemory.*", "SnapshotArchive.*",
    "CriuFaults.*", "Checkpoint.RefusesDamaged*", "Checkpoint.StopsItsClocks*", "Checkpoint.*AtOnce*",
    "Checkpoint.MakesCopies*", "ZygoteSnapshots.*DifferInWhat*", "ZygoteSnapshots.HaveBlocks*",
    "ZygoteSnapshots.HaveAHeap*", "ZygoteSnapshots.HoldMemory*", "ZygoteSnapshots.GoToAnotherStore*",
    "StoredInCaches.*", "ImportLimit.*")),)


def without(feature: str) -> Run:
    return Run(built(INTEGRATION) + NOT_AGAIN, f"without-{feature}", {"SOCK_TEST_WITHOUT": feature})


def with_cgroups(backend: str) -> Run:
    return Run(built(INTEGRATION) + NOT_AGAIN, f"cgroups-{backend}", {"SOCK_TEST_CGROUPS": backend})


SUITES = (
    Suite(
        "lint", "layers, names, formatting and the other rules that a program can check",
        script("lint"), "tap", timeout=180, build=None,
    ),
    Suite(
        "unit", "pure logic, as this user and as nobody; sockd's loop with doubles below",
        (Run(built(UNIT)), Run(built(SOCKD_LOOP), "loop"), Run(built(UNIT), "nobody", user=NOBODY)),
        "gtest", timeout=180,
    ),
    Suite(
        "abi", "the exported symbols and the C header",
        script("abi"), "tap", timeout=120,
    ),
    Suite(
        "consumers", "the installed library, found by pkg-config and CMake",
        script("consumers"), "tap", timeout=600,
    ),
    Suite(
        "integration", "containers through the public headers",
        (Run(built(INTEGRATION)),), "gtest", timeout=600,
    ),
    Suite(
        "fallback", "the integration tests as on kernels that lack a feature, and per cgroup backend",
        (
            *map(without, ("detached_roots", "landlock_scopes", "clone3", "clone_into_cgroup",
                           "cgroup_kill")),
            *map(with_cgroups, ("v1", "v2", "none")),
        ),
        "gtest", timeout=1200,
    ),
    Suite(
        "rootless", "the integration tests as an ordinary user",
        (Run(built(INTEGRATION), user=ORDINARY_USER),), "gtest", timeout=600,
    ),
    Suite(
        "cli", "sockctl at a prompt",
        (Run(("bats", "--formatter", "tap", "--recursive", "tests/cli")),),
        "tap", timeout=300, requires=("build/debug/tools/sockctl/sockctl",),
    ),
    Suite(
        "examples", "embedding in C, C++, Python and Go: built and run",
        script("examples"), "tap", timeout=300,
    ),
    Suite(
        "image", "images of real tools and of hostile ones; importers at once, and killed",
        script("image"), "tap", timeout=3600, targets=("tools/sockctl/sockctl",),
    ),
    Suite(
        "package", "packages of real tools and hostile ones; containers that see what they declare",
        script("package"), "tap", timeout=1200, targets=("tools/sockctl/sockctl", "libexec-programs"),
    ),
    Suite(
        "checkpoint", "real programs in snapshots and back; kills and full disks on the way",
        script("checkpoint"), "tap", timeout=1800, targets=("tools/sockctl/sockctl", "libexec-programs"),
    ),
    Suite(
        "sockd", "the platform runtime as its users see it: calls, failures, restarts",
        script("sockd"), "tap", timeout=900, targets=SOCKD_PROGRAMS,
    ),
    Suite(
        "security", "every refusal, tried from inside by a payload",
        script("security"), "tap", timeout=600,
    ),
    Suite(
        "crash", "what is left behind when the runtime is killed at any point",
        script("crash"), "tap", timeout=3600,  # with SOCK_TEST_FULL; otherwise minutes
    ),
    Suite(
        "inject", "each system call failing in turn",
        script("inject"), "tap", timeout=3600,  # with SOCK_TEST_FULL: about 3,100 faults
    ),
    Suite(
        "soak", "thousands of containers: nothing may grow",
        (Run(built("tests/integration/sock_soak")),), "gtest", timeout=2400,  # with SOCK_TEST_FULL
    ),
    Suite(
        "fuzz", "what reads the words of others, fed with anything",
        script("fuzz"), "tap", timeout=3600,  # with SOCK_TEST_FULL: four minutes for each target
        build="fuzz", targets=("fuzz-targets",),
    ),
    Suite(
        "model", "verbs of the API in random order, against a model of the states",
        (Run(built("tests/fuzz/sock_api_model")),), "gtest", timeout=600,
    ),
    Suite(
        "asan", "unit and integration under the address and undefined-behaviour sanitizers",
        sanitized("asan", ASAN),
        "gtest", timeout=1800, build="asan", targets=SANITIZED, full_only=True,
    ),
    Suite(
        "sockd-asan", "the platform runtime under the address and undefined-behaviour sanitizers",
        (Run(("tests/sockd/run",), env=ASAN),), "tap", timeout=1800,
        build="asan", targets=SOCKD_PROGRAMS, full_only=True,
    ),
    Suite(
        "tsan", "unit and integration under the thread sanitizer",
        sanitized("tsan", {"TSAN_OPTIONS": "second_deadlock_stack=1 suppressions=tests/support/tsan.supp"}),
        "gtest", timeout=1800, build="tsan", targets=SANITIZED, full_only=True,
    ),
    Suite(
        "vm", "unit and integration on older kernels and other cgroups, in emulated machines",
        script("vm"), "tap", timeout=7200, packages=("--vm",), full_only=True,
    ),
    Suite(
        "bench", "the launch benchmark starts and ends (no figures are judged here)",
        (Run((*built("bench/bench_launch"), "--benchmark_min_time=0.01")),),
        "plain", timeout=180,
    ),
    Suite(
        "report", "the benchmarks' report: what it makes of figures, and tiny runs",
        script("bench"), "tap", timeout=600,
    ),
    Suite(
        "promises", "the quick benchmarks: nothing is behind what bench/SPECIFICATION.md allows",
        (Run(("scripts/bench", "--quick", "--check", "--regressions", "--promised", "--build=build/debug", "--out=build/bench-report")),),
        "plain", timeout=1500, packages=("--peers", "--bench"),
    ),
)


def what_to_build(suites: list[Suite] | tuple[Suite, ...]) -> dict[str, tuple[str, ...]]:
    """The targets of each kind; none where one suite needs all. Without a suite of its own all of debug is."""
    found: dict[str, tuple[str, ...]] = {}
    for suite in suites:
        if suite.build:
            known = found.get(suite.build, suite.targets)
            found[suite.build] = tuple(dict.fromkeys(known + suite.targets)) if known and suite.targets else ()
    return {"debug": ()} | found
