"""What the SOCK paper found, beside what a run has found, and what has changed since: a sentence for each plot. Empty where a
figure is missing."""

from statistics import median

from measure import published
from measure.samples import pooled


def medians_of(sets: dict[str, list[dict]], wanted: str) -> dict[str, float]:
    return {name: median(pooled(way["rounds"])) for name, found in sets.items() for way in found if way["name"] == wanted and way["rounds"]}


def over_docker(found: dict[str, dict]) -> str:
    """Podman is what Debian has of that class."""
    ours, theirs = (found.get(name, {}).get("rounds") for name in ("sock", "podman run"))
    if not ours or not theirs:
        return ""
    paper = " and ".join(f"{times} times as fast with {count} at once" for count, times in published.SOCK_OVER_DOCKER.items())
    return (f" The paper: its containers start {paper} as Docker's. Here: {median(pooled(theirs)) / median(pooled(ours)):,.0f} times as fast as "
            "podman, one at a time; for more at once see the rates. Without a daemon podman starts two programs for each container; the library none.")


def without_zygotes(sets: dict[str, list[dict]]) -> str:
    fork, created = medians_of(sets, "zygote fork"), medians_of(sets, "created container that imports")
    times = ", ".join(f"{created[name] / fork[name]:.0f} ({name})" for name in fork if name in created)
    return (f" The paper: with zygotes {published.SOCK_ZYGOTES} times as fast as without, and {published.SOCK_IMPORT} ms for importing a popular package. Here a created container that "
            f"imports the same takes so many times as long as a fork: {times}. Our zygotes are forked in a user namespace of their own, and have the packages imported.") if times else ""


def resizing(sets: dict[str, list[dict]]) -> str:
    cold, paused, fresh = (medians_of(sets, way).get("resizing an image") for way in
                           ("cold: a new instance from a zygote", "paused: an instance that is resumed", "a fresh Python process"))
    if not cold or not paused or not fresh:
        return ""
    others = ", ".join(f"{times} times as fast as {other}" for other, times in published.SOCK_RESIZE_OVER.items())
    return (f" The paper: a cold call that resizes an image spends {published.SOCK_RESIZE} ms in the platform, {others}, over the Internet and with the code fetched. Here: {cold / 1000:.1f} ms cold and "
            f"{paused / 1000:.1f} paused, resizing included, over loopback; a fresh `python3` takes {fresh / cold:.0f} times as long as the cold call.")


def with_caches(trees: list[dict]) -> str:
    rates = {(tree["name"], tree["nodes"]): median(run["per_second"] for run in tree["runs"]) for tree in trees if tree["runs"]}
    alone, best = rates.get(("Forklift's", 1)), max((rate for (name, _), rate in rates.items() if name == "ours"), default=0)
    return (f" The paper: {published.SOCK_CACHES} times as fast with all three caches as without zygotes. Here, for calls that the handler cache never has: {best / alone:.0f} times "
            "as many a second from our largest tree as from one zygote that has imported nothing. Trees are planned now (Forklift, 2024), the paper's grew by use.") if alone and best else ""
