"""Runs probes and scenarios. Probes of one identity and one configuration share a container."""

from collections import defaultdict
from collections.abc import Iterator

from model import Failure, Probe, Scenario, Verdict
from starter import CreateStarter, ForkStarter
from world import World

SAFE = ("BLOCKED", "CONTAINED")


def batches(probes: list[Probe]) -> dict[tuple, list[Probe]]:
    """(identity, options, the id of a lone one) -> probes"""
    found = defaultdict(list)
    for probe in probes:
        for identity in probe.identities:
            found[identity, probe.options, probe.id if probe.alone else ""].append(probe)
    return found


def control_batches(probes: list[Probe]) -> dict[tuple, list[Probe]]:
    found = defaultdict(list)
    for probe in probes:
        if probe.control:
            found[probe.control, probe.id if probe.alone else ""].append(probe)
    return found


def outcomes(printed: str) -> dict[str, str]:
    """Lines "PROBE id outcome detail"; whatever else a payload prints means nothing."""
    lines = (line.split(" ", 2) for line in printed.splitlines() if line.startswith("PROBE "))
    return {words[1]: words[2] for words in lines if len(words) == 3}


def run_probes(probes: list[Probe], world: World, starter: CreateStarter) -> Iterator[Verdict]:
    for (identity, options, _), batch in batches(probes).items():
        connections = world.connections()
        result = starter.payload(identity, options, [probe.id for probe in batch])
        said = outcomes(result.stdout)
        log = (result.stdout + result.stderr).splitlines()[-20:]
        for probe in batch:
            yield _judge(probe, identity, said.get(probe.id, f"silence, exit {result.returncode}"), log)
        yield _outside(" ".join([f"{len(batch)} probes as {identity}", *options]), world,
                       result.stdout + result.stderr, world.connections() - connections)
    for (control, _), batch in control_batches(probes).items():
        result = starter.control(control, [probe.id for probe in batch])
        said = outcomes(result.stdout)
        where = "on the machine" if control.on_host else f"{control.identity} {' '.join(control.options)}"
        for probe in batch:
            outcome = said.get(probe.id, f"silence, exit {result.returncode}")
            absent = outcome.startswith("NA ")
            yield Verdict(name=f"{probe.id} control ({where.rstrip()}): the attack works there",
                          ok=absent or outcome.startswith("ALLOWED"), detail=outcome,
                          skip=outcome[3:] if absent else "",
                          log=(result.stdout + result.stderr).splitlines()[-20:])


def run_forked(probes: list[Probe], identities: str, world: World, starter: ForkStarter) -> Iterator[Verdict]:
    """The same probes where nothing is created; their controls are those of created containers."""
    able = []
    for probe in probes:
        if reason := starter.not_applicable(probe):
            yield Verdict(name=f"{probe.id} {starter.name} {probe.title}", ok=True, skip=f"NA {reason}")
        else:
            able.append(probe)
    for (identity, options, _), batch in batches(able).items():
        if identity not in identities:
            continue
        connections = world.connections()
        result = starter.payload(identity, options, [probe.id for probe in batch])
        said = outcomes(result.stdout)
        log = (result.stdout + result.stderr).splitlines()[-20:]
        for probe in batch:
            outcome = said.get(probe.id, f"silence, exit {result.returncode}")
            verdict = _judge(probe, f"{identity} {starter.name}", outcome, log)
            verdict.ok = verdict.ok or outcome.strip() == starter.expected.get(probe.id)
            yield verdict
        yield _outside(" ".join([f"{len(batch)} probes {starter.name} as {identity}", *options]), world,
                       result.stdout + result.stderr, world.connections() - connections)


def _judge(probe: Probe, identity: str, outcome: str, log: list[str]) -> Verdict:
    kind, _, detail = outcome.partition(" ")
    ok = kind in SAFE
    if kind == "BLOCKED" and probe.errors:
        ok = set(detail.split(",")) <= probe.errors
    return Verdict(name=f"{probe.id} {identity} {probe.title}", ok=ok, detail=outcome,
                   todo=probe.todo, log=log)


def _outside(batch: str, world: World, printed: str, connections: int) -> Verdict:
    damage = world.damage()
    if world.secret in printed:
        damage.append("the secret was printed")
    if connections:
        damage.append(f"{connections} connections reached the machine's listeners")
    return Verdict(name=f"{batch}: seen from outside, nothing happened", ok=not damage, log=damage)


def run_scenario(scenario: Scenario, world: World, starter: CreateStarter) -> Verdict:
    name = f"{scenario.id} {scenario.title}"
    try:
        seen = scenario.run(world, starter)
    except Failure as failure:
        return Verdict(name=name, ok=False, todo=scenario.todo, log=str(failure).splitlines())
    damage = world.damage()
    return Verdict(name=name, ok=not damage, detail=seen or "", log=damage)
