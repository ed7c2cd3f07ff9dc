"""The plots of each part, from its JSON. Each function writes files and gives (file name, what it shows)."""

from dataclasses import replace
from pathlib import Path
from statistics import median

from measure import growth, published
from measure.plot import Dot, dot_plot, line_plot, stacked_plot
from measure.samples import median_interval, percentile, pooled, tail
from measure.sockd import OUTER_STAGES, REST
from suite import paper

Shown = list[tuple[str, str]]


UNKNOWN = float("nan")


def dot(label: str, rounds: list[list[float]], unit: float = 1) -> Dot:
    scaled = [[value / unit for value in one] for one in rounds]
    values = pooled(scaled)
    low, high = median_interval(scaled)
    return Dot(label, median(values), low, high, *(percentile(values, share) if tail(values, share) else UNKNOWN for share in (0.9, 0.99)))


def ways_of(sets: dict[str, list[dict]], shorten=lambda name: name) -> list[Dot]:
    return [dot(f"{name}: {shorten(way['name'])}", way["rounds"], 1000) for name, found in sets.items() for way in found if way["rounds"]]


def in_kernel(way: dict) -> str:
    """Beside a bar's length."""
    share = way.get("kernel_share")
    return "" if share is None else f", {share:.0%} in the kernel"


def notes_of(sets: dict[str, list[dict]]) -> dict[str, str]:
    return {f"{way['name'].split(':')[0]}, {name}": in_kernel(way) for name, found in sets.items() for way in found}


def whole_of(sets: dict[str, list[dict]], wanted: str) -> dict[str, dict[str, float]]:
    """Bars of one piece: the distance to what is bare."""
    return {f"{wanted}, {name}": {"all, bare": median(pooled(way["rounds"]))}
            for name, found in sets.items() for way in found if way["name"] == wanted and way["rounds"]}


def stages_of(sets: dict[str, list[dict]], *ways: str) -> dict[str, dict[str, float]]:
    """Bars of medians; where a way has kept every sample, their medians."""
    bars = {}
    for wanted in ways:
        for name, found in sets.items():
            for way in found:
                if way["name"] == wanted and way["stages"]:
                    bars[f"{wanted.split(':')[0]}, {name}"] = {
                        stage: median(value) if isinstance(value, list) else value for stage, value in way["stages"].items()}
    return bars


def rates_of(sets: dict[str, list[dict]]) -> dict[str, list[tuple[float, float]]]:
    return with_contention({f"{way['name'].split(':')[0]}, {name}": [(int(count), rate) for count, rate in way["rates"].items()]
                            for name, found in sets.items() for way in found if way["rates"]})


def with_contention(lines: dict[str, list[tuple[float, float]]]) -> dict[str, list[tuple[float, float]]]:
    """Says of each line how the time that one takes grows with those that are at it."""
    return {f"{name} (each takes {growth.of_rates(points)})" if len(points) > 2 else name: points for name, points in lines.items()}


def peers(data: dict, out: Path) -> Shown:
    found = data["peers"]
    dots = [dot(name, one["rounds"], 1000) for name, one in found.items() if one["rounds"]]
    shown: Shown = []
    if dots:
        dot_plot(out / "peers.svg", "A container from start to reaped", "ms, logarithmic", dots, "ms")
        shown.append(("peers.svg", "Median with its 95 % interval, 90th and 99th percentile of each peer." + paper.over_docker(found)))
    bars = {name: one["stages"] for name, one in found.items() if one["stages"]}
    if bars:
        stacked_plot(out / "peers-stages.svg", "Where creating a container spends its time", "us, sum of the medians of the stages", bars,
                     {name: in_kernel(one) for name, one in found.items()})
        shown.append(("peers-stages.svg", "Stages of the library and the same steps of the C program, which makes the bare system calls; and the share of all CPU time that "
                      "was spent in the kernel while rates were measured."))
    lines = with_contention({name: [(int(count), median(rates)) for count, rates in one["rates"].items()]
                             for name, one in found.items() if one["rates"]})
    if lines:
        lines["SOCK's paper, 2018, its machine"] = [(1, published.SOCK_RATE)]
        line_plot(out / "peers-rates.svg", "Containers per second", "creators at once", "containers per second, logarithmic", lines, "y")
        shown.append(("peers-rates.svg", f"The paper had {published.SOCK_RATE} a second, on another machine and an older kernel. Here the root is a detached "
                                         "tree, copied by one call and entered by chroot, where that time's kernel had bind mounts; an empty "
                                         "network namespace is kept and joined; the cgroup is a prepared one."))
    return shown


def launch(data: dict, out: Path) -> Shown:
    found: dict[str, list[list[float]]] = {}
    for one in data["benchmarks"]:
        if one.get("run_type") == "iteration" and "error_occurred" not in one:
            found.setdefault(one["name"].removesuffix("/real_time"), []).append([one["real_time"]])
    if not found:
        return []
    means = [replace(dot(name, rounds), p90=UNKNOWN, p99=UNKNOWN) for name, rounds in found.items()]
    dot_plot(out / "launch.svg", "Pausing and resuming", "us for both, logarithmic; the mean of each repetition", means, "us")
    return [("launch.svg", "The library, the two writes alone, and the writes until the kernel says that they are done.")]


def by_size(data: dict) -> dict[str, list[tuple[float, float]]]:
    """The cost of a fork, and of a plain os.fork(), by the memory of the process that is forked."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for name, found in data["sets"].items():
        size = data.get("memory", {}).get(name, {}).get("rss")
        for way in found:
            if size and way["rounds"] and way["name"] in ("zygote fork", "zygote fork, spares", "os.fork(), no isolation"):
                lines.setdefault(way["name"], []).append((size / (1 << 20), median(pooled(way["rounds"])) / 1000))
    return {name: sorted(points) for name, points in lines.items() if len(points) > 1}


def zygote(data: dict, out: Path) -> Shown:
    sets, shown = data["sets"], []
    if dots := ways_of(sets):
        dot_plot(out / "zygote.svg", "From the request to a Python payload's first statement", "ms, logarithmic", dots, "ms")
        shown.append(("zygote.svg", "Each way for each set of modules." + paper.without_zygotes(sets)))
    if bars := stages_of(sets, "zygote fork", "zygote fork, spares") | whole_of(sets, "os.fork(), no isolation"):
        stacked_plot(out / "zygote-stages.svg", "Where a fork spends its time", "us, sum of the medians of the stages", bars, notes_of(sets))
        shown.append(("zygote-stages.svg", "Stages of a fork and of one with spares; below them what a plain os.fork() of the same process takes."))
    if lines := by_size(data):
        line_plot(out / "zygote-size.svg", "A fork by what its zygote holds", "MiB of the zygote's memory (RSS)", "ms until the first statement",
                  {f"{name}: {growth.label(points)}": points for name, points in lines.items()})
        shown.append(("zygote-size.svg", "Each point is a set of modules; the exponent is of the power law that is fitted."))
    if lines := rates_of(sets):
        line_plot(out / "zygote-rates.svg", "Forks per second, to the container's end", "requesters at once", "forks per second", lines)
        shown.append(("zygote-rates.svg", "By the number of threads that ask."))
    return shown


def restore(data: dict, out: Path) -> Shown:
    sets, shown = data["sets"], []
    if dots := ways_of(sets):
        dot_plot(out / "restore.svg", "From the request to the first answer", "ms, logarithmic", dots, "ms")
        shown.append(("restore.svg", "Each way for each set of modules."))
    if bars := (stages_of(sets, "fork of a zygote's snapshot", "restored container", "fork of a living zygote")
                | whole_of(sets, "criu restore, no isolation")):
        stacked_plot(out / "restore-stages.svg", "Where coming back spends its time", "us, sum of the medians of the stages", bars, notes_of(sets))
        shown.append(("restore-stages.svg", "Stages of a fork from a snapshot, of a restore by CRIU, of a fork of a living zygote; below them CRIU's own program."))
    if lines := rates_of(sets):
        line_plot(out / "restore-rates.svg", "Containers per second, from snapshots", "requesters at once", "containers per second", lines)
        shown.append(("restore-rates.svg", "By the number of threads that ask."))
    lines = {f"{way}, {name}": [(int(count), made[count]["pss"] / (1 << 20)) for count in made if count.isdigit()]
             for name, ways in data["copies"].items() for way, made in ways.items() if "failure" not in made}
    if lines:
        line_plot(out / "restore-memory.svg", "What each copy holds", "copies at once", "MiB of PSS each", lines)
        shown.append(("restore-memory.svg", "Copies that have answered once and wait: their proportional share of memory."))
    return shown


def apart(stages: dict[str, float]) -> dict[str, float]:
    """A start is told as a whole too: what of it is in no stage of its own."""
    inside = sum(value for stage, value in stages.items() if stage not in (*OUTER_STAGES, REST))
    return {"start, the rest" if stage == "start" else stage: max(0, value - inside) if stage == "start" else value for stage, value in stages.items()}


def functions(data: dict, out: Path) -> Shown:
    sets, shown = data["sets"], []
    if dots := ways_of(sets, lambda name: name.split(":")[0]):
        dot_plot(out / "functions.svg", "A call through sockd, from request to response", "ms, logarithmic", dots, "ms")
        shown.append(("functions.svg", "Cold: a new instance from a zygote; spare: one that was forked ahead; paused and warm: one that is there."
                      + paper.resizing(sets)))
    if bars := {name: apart(stages) for name, stages in stages_of(sets, "cold: a new instance from a zygote", "spare: a new instance after a pause",
                                                                        "paused: an instance that is resumed").items()}:
        stacked_plot(out / "functions-stages.svg", "Where a call spends its time", "ms, sum of the medians of the stages", bars, notes_of(sets))
        shown.append(("functions-stages.svg", "As the daemon tells each caller; what is in none of them is HTTP's and the client's, which is Python's. The kernel's share is that of all CPU time while rates were measured."))
    if lines := rates_of(sets):
        line_plot(out / "functions-rates.svg", "Calls per second through sockd", "clients at once", "calls per second, logarithmic", lines, "y")
        shown.append(("functions-rates.svg", "The clients are Python's and share the CPUs: a lower bound."))
    return shown


OPENLAMBDA = "OpenLambda, as published, another machine"
TREES = {"ours": "our tree", "Forklift's": "Forklift's tree"}  # A flat one has one size only: it is in the tables.


def rate_of(tree: dict) -> float:
    return median(run["per_second"] for run in tree["runs"])


def import_cache(data: dict, out: Path) -> Shown:
    shown: Shown = []
    trees = [tree for tree in data["trees"] if tree["runs"] and tree["planner"] in TREES]
    sentence = paper.with_caches([tree | {"name": tree["planner"]} for tree in trees])
    for column, (file, figure, axis) in enumerate((("import-cache.svg", rate_of, "calls per second"),
                                                   ("import-cache-median.svg", lambda tree: median(pooled(tree["rounds"])), "median ms of a call"))):
        lines: dict[str, list[tuple[float, float]]] = {}
        for tree in trees:
            lines.setdefault(TREES[tree["planner"]], []).append((tree["nodes"], figure(tree)))
        # It had Forklift's trees.
        lines[OPENLAMBDA] = [(tree["nodes"], published.OPENLAMBDA[tree["size"]][column]) for tree in trees if tree["planner"] == "Forklift's"]
        line_plot(out / file, "A workload over import trees that were fitted to another", "nodes of the tree", axis, lines,
                  elsewhere=OPENLAMBDA)
        shown.append((file, "Compare the two trees; what was published stands beside for the order of magnitude." + sentence))
    return shown


def workload(data: dict, out: Path) -> Shown:
    ways = [way for found in data["sets"].values() for way in found if way["rounds"]]
    if not ways:
        return []
    elsewhere = {f"OpenLambda, {nodes} nodes, published": figures for nodes, figures in published.OPENLAMBDA.items() if nodes > 1}
    dot_plot(out / "workload.svg", "Functions that are called once each, from request to response", "ms, logarithmic",
             [dot(way["name"], way["rounds"], 1000) for way in ways]
             + [Dot(name, middle, middle, middle, UNKNOWN, UNKNOWN) for name, (_, middle) in elsewhere.items()], "ms")
    rates = {way["name"]: len(way["calls"]) / way["seconds"] for way in ways} | {name: float(rate) for name, (rate, _) in elsewhere.items()}
    stacked_plot(out / "workload-rates.svg", "Functions that are called once each: how many a second", "calls per second",
                 {name: {"calls per second": rate} for name, rate in rates.items()})
    return [("workload.svg", "Every call is a cold start. sockd and OpenLambda have five clients; OpenLambda's figures are of its authors' machine, for the order of magnitude."),
            ("workload-rates.svg", "The same calls. A fresh process is not isolated.")]


def image_load(data: dict, out: Path) -> Shown:
    shown: Shown = []
    unpacked = [dot(f"{key.removeprefix('unpack ')}: {way['name']}", way["rounds"], 1000)
                for key, found in data.items() if key.startswith("unpack ") for way in found if way["rounds"] and not way["failure"]]
    if unpacked:
        dot_plot(out / "image-unpack.svg", "Unpacking an image of 1 GB", "seconds, logarithmic", unpacked, "s")
        shown.append(("image-unpack.svg", "Ours is on the disk by then; the others have written to memory."))
    if "cold" in data:
        dot_plot(out / "image-cold.svg", "Starting Python with numpy and pandas from an image", "ms, logarithmic",
                 [dot(way["name"], way["rounds"]) for way in data["cold"]], "ms")
        shown.append(("image-cold.svg", "After the machine's page cache was dropped, and warm."))
    for number, title in enumerate(("5,000 small files", "one file of 100 MB")):
        if title in data:
            lines = {engine: [(int(way["name"]), median(pooled(way["rounds"]))) for way in ways] for engine, ways in data[title].items()}
            lines["one file after another"] = lines.pop("none")
            line_plot(out / f"image-depth-{number}.svg", f"Reading what is not in memory: {title}", "files open at once",
                      "ms until all is read", lines)
            shown.append((f"image-depth-{number}.svg", "By engine, and by the number of files that it has open at once."))
    return shown


def curves(data: dict, out: Path, prefix: str) -> Shown:
    """Of a part whose JSON has plots ready: titles, axes, a curve for each way."""
    shown: Shown = []
    for number, plot in enumerate(data["plots"]):
        lines = {curve["name"]: [tuple(point) for point in curve["points"]] for curve in plot["curves"] if curve["points"]}
        if not lines:
            continue
        if plot["x"].startswith("creators"):
            lines = with_contention(lines)
        if plot.get("fit"):
            lines = {f"{name}: {growth.label(points)}": points for name, points in lines.items()}
        file = f"{prefix}-{number}.svg"
        line_plot(out / file, plot["title"], plot["x"], plot["y"], lines, plot.get("logarithmic", ""))
        shown.append((file, plot["caption"]))
    return shown


def kernel_costs(data: dict, out: Path) -> Shown:
    return curves(data, out, "kernel-costs")


def growth_of(data: dict, out: Path) -> Shown:
    return curves(data, out, "growth")


DRAW = {"peers": peers, "launch": launch, "zygote": zygote, "restore": restore, "functions": functions,
        "workload": workload, "import_cache": import_cache, "image_load": image_load, "kernel_costs": kernel_costs, "growth": growth_of}
