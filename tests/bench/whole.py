"""scripts/bench as one types it, on runs so small that their figures mean nothing."""

import json
import re
import subprocess

from cases import expect
from suite.parts import PARTS
from world import BUILD, PROJECT


def a_run_ends_with_a_report(world) -> None:
    done = world.bench("--smoke", "--build", str(BUILD), "--only", "peers", "zygote", "kernel_costs", "growth")
    expect(done.returncode == 0, done.stdout[-2000:])
    text, shown = world.report("report.md"), world.report("report.html")
    for part in PARTS:
        if part.name in ("peers", "zygote", "kernel_costs", "growth"):
            expect(f"## {part.title}" in text, f"no section {part.title}")
            expect(json.loads(world.report(f"data/{part.name}.json")) != {}, f"no figures of {part.name}")
    plots = re.findall(r"\(plots/(.*)\)", text)
    expect(len(plots) >= 6 and shown.count("data:image/svg+xml;base64,") == len(plots), f"plots: {plots}")
    for plot in plots:
        expect("</svg>" in world.report(f"plots/{plot}"), f"{plot} is cut off")
    kept = json.loads(world.report("data/run.json"))
    # What else may be left, scripts/test looks for; others may start containers meanwhile.
    expect(not any(item.startswith("process") for item in kept["left_behind"]), f"{kept['left_behind']}")


def a_part_that_fails_is_named(world) -> None:
    program = world.directory / "build/bench/bench_launch"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho half a figure\nexit 3\n")
    program.chmod(0o755)
    done = world.bench("--smoke", "--build", str(world.directory / "build"), "--only", "launch", "zygote")
    expect(done.returncode == 1 and "launch: exit status 3" in done.stdout, done.stdout)
    text = world.report("report.md")
    expect("this part failed: exit status 3" in text and "half a figure" in text, "not in the report")
    expect("this part failed: not built: bench/zygote_driver" in text, "what is not built is not named")


def a_promise_that_is_broken_is_named(world) -> None:
    data = world.directory / "report/data"
    data.mkdir(parents=True)
    slow, fast = {"rounds": [[900.0]] * 9, "rates": {}, "stages": {}}, {"rounds": [[100.0]] * 9, "rates": {}, "stages": {}}
    (data / "peers.json").write_text(json.dumps({"peers": {"sock": slow, "C reference": fast}}))
    (data / "peers.txt").write_text("")
    (data / "run.json").write_text(json.dumps({
        "size": "quick", "seconds": 1, "before": 0, "busy": 0, "machine": {}, "left_behind": [],
        "parts": {"peers": {"command": ["x"], "seconds": 1, "busy": 0, "failure": "", "left_out": ""}}}))
    for options in (("--check",), ("--check", "--regressions")):
        done = world.bench("--no-run", *options)
        expect(done.returncode == 1 and "create-reference: 9 [9, 9]" in done.stdout, done.stdout)
    expect(world.bench("--no-run").returncode == 0, "judged without being asked")


def two_builds_are_compared(world) -> None:
    done = subprocess.run([PROJECT / "bench/compare.py", BUILD, BUILD, "--rounds", "2"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    expect(done.returncode == 0 and "create" in done.stdout and done.stdout.count("same") == 3, done.stdout)


TESTS = [a_run_ends_with_a_report, a_part_that_fails_is_named, a_promise_that_is_broken_is_named, two_builds_are_compared]
