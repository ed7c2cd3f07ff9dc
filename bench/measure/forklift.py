"""Forklift's workloads, and packages that cost what was recorded of the real ones: each burns CPU time and holds memory when it is imported."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent.parent.parent / "shared/data/forklift"
MIB = 1 << 20
SYNTHETIC = """import time
end = time.thread_time() + {seconds!r}
ballast = b"x" * {size}
while time.thread_time() < end:
    pass
"""


def unpack(data: Path, name: str, directory: Path) -> Path:
    target = directory / name
    target.write_bytes(gzip.decompress((data / f"{name}.gz").read_bytes()))
    return target


def make_packages(costs: dict, directory: Path) -> dict:
    """Writes the packages, and gives the costs with their modules instead of the real ones: one for
    each package, so that none hides a module of the standard library."""
    for name, package in costs.items():
        for version, described in package["versions"].items():
            cost = described.get("cost") or {}
            burns = bool(described.get("top")) and (cost.get("ms") or 0) > 0
            described["top"] = []
            if not burns:
                continue
            module = "synthetic_" + "".join(c if c.isalnum() else "_" for c in f"{name}_{version}")
            described["top"] = [module]
            place = directory / name / version
            place.mkdir(parents=True)
            (place / f"{module}.py").write_text(SYNTHETIC.format(
                seconds=cost["ms"] / 1000, size=int(max(cost.get("mb") or 0, 0) * MIB)))
    return costs


def pinned(requirements: str) -> Iterator[tuple[str, str]]:
    """Name and version of each line of a requirements file, without extras, markers and options."""
    for line in requirements.splitlines():
        words = line.split("#")[0].split(";")[0].split()
        name, equals, version = words[0].partition("==") if words else ("", "", "")
        if equals:
            yield name.partition("[")[0], version


def spread(items: list, wanted: int) -> list:
    """So many of them, from all of it: a short run is a sample of the long one."""
    count = min(wanted, len(items))
    return [items[number * len(items) // count] for number in range(count)]


@dataclass(frozen=True)
class Function:
    name: str
    packages: tuple[tuple[str, str], ...]
    modules: tuple[str, ...]

    def declared(self) -> list[str]:
        return [f"{name}=={version}" for name, version in self.packages]

    def code(self) -> str:
        return "".join(f"import {module}\n" for module in self.modules)


def read_workload(file: Path, costs: dict) -> list[Function]:
    """Each function imports all that it declares, as bench/import_cache_replay's do; what was never recorded has no package."""
    functions = []
    for described in json.loads(file.read_text())["funcs"]:
        known = [(name, version) for name, version in pinned(described["meta"]["requirements_txt"]) if version in costs.get(name, {}).get("versions", {})]
        modules = [module for name, version in known for module in costs[name]["versions"][version]["top"]]
        functions.append(Function(f"{file.stem}-{described['name']}", tuple(known), tuple(modules)))
    return functions


def to_import(function: Function, zygote: str, zygotes: list[dict], costs: dict) -> tuple[float, float]:
    """Milliseconds, as they were recorded: what this zygote of an import cache had not imported, and all that the function imports.
    `zygotes` is what /status says; of one that has gone since nothing is known, so that it has imported nothing."""
    nodes = {one["name"]: one for one in zygotes}
    node, imported = nodes.get(zygote), set()
    while node:
        imported.update(node["packages"])
        node = nodes.get(node["parent"])
    burns = {f"{name}=={version}": described["cost"]["ms"] for name, version in function.packages if (described := costs[name]["versions"][version])["top"]}
    return sum(cost for package, cost in burns.items() if package not in imported), sum(burns.values())
