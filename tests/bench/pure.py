"""What the report makes of figures: bounds, paths, verdicts, exponents, stages, pages."""

import io
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType, SimpleNamespace

import compare
from cases import expect
from measure import cpu, forklift, growth, plot, samples, specification
from measure.specification import Bound, Promise, judge
from measure.rounds import rounds
from suite import figures, main, page, run
from suite.parts import FULL, PARTS, PROJECT, QUICK

NOISY = [[100.0], [110.0], [90.0], [105.0], [95.0], [102.0]]
TABLE = """text
| id | promise | program | of | than | goal | CI fails at |
|---|---|---|---|---|---|---|
| one | a \\| b | part | `sets/x/a, b (c)` | `y` | <= 1.15 | - |
| two | c | part | `z` | - | ≥ 2,000 | >= 10 |

| another | table |
|---|---|
| x | y |
"""


@contextmanager
def replaced(module, name: str, value):
    kept = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, kept)


def promise(bound: Bound, than: str = "y", of: str = "x") -> Promise:
    return Promise("p", "what", "part", of, than, bound, None)


def bounds_and_paths_are_read(world) -> None:
    first, second = specification.parse(TABLE)
    expect(first.what == "a | b" and first.of == "sets/x/a, b (c)" and first.than == "y", f"{first}")
    expect(first.goal == Bound(True, 1.15) and first.limit is None, f"{first}")
    expect(second.than == "" and second.goal == Bound(False, 2000) and second.limit == Bound(False, 10), f"{second}")


def reasons_are_shown_where_a_goal_is_missed(world) -> None:
    reasons = specification.parse_reasons("- `p`, `q-1`: it is so\n- no id: x\n")
    expect(reasons == {"p": "it is so", "q-1": "it is so"}, f"{reasons}")
    data = {"x": NOISY, "y": [[50.0]] * 6}
    missed, held = (specification.rows([judge(promise(Bound(True, bound)), data)], reasons)[1][-1] for bound in (1, 3))
    expect(missed == "NOT reached: it is so" and held == "reached", f"{missed}, {held}")


def a_bound_that_is_none_is_refused(world) -> None:
    for bad in ("1.15", "< 3", "<= fast"):
        try:
            specification.parse_bound(bad)
        except ValueError:
            continue
        expect(False, f"{bad} was taken")


def what_is_promised_can_be_found(world) -> None:
    """Each row names a part, and its CI bound is looser than its goal."""
    names = {part.name for part in PARTS} | {"suite"}
    for one in specification.read():
        expect(one.program in names, f"{one.id} is measured by nothing: {one.program}")
        expect(set(specification.read_reasons()) <= {each.id for each in specification.read()}, "a reason for nothing")
        expect(one.limit is None or one.limit.at_most == one.goal.at_most and not
               (one.limit.value < one.goal.value if one.goal.at_most else one.limit.value > one.goal.value), f"{one.id}: {one.limit}")


def names_with_slashes_and_lists_of_names_are_found(world) -> None:
    data = {"sets": {"a": [{"name": "x/y", "rounds": [[1.0, 2.0]]}]}, "benchmarks": [{"name": "p/q", "t": 3.0}, {"name": "p/q", "t": 5.0}]}
    expect(specification.rounds_at(data, "sets/a/x/y") == [[1.0, 2.0]], "a way")
    expect(specification.rounds_at(data, "benchmarks/p/q/t") == [[3.0], [5.0]], "repetitions")
    expect(specification.rounds_at(data, "sets/b") == [], "what is not there")


def a_ratio_is_judged_with_its_interval(world) -> None:
    data = {"x": NOISY, "y": [[50.0]] * 6}
    expect(judge(promise(Bound(True, 3)), data).verdict() == "reached", "below")
    expect(judge(promise(Bound(False, 3)), data).verdict() == "NOT reached", "not above")
    expect("within the noise" in judge(promise(Bound(True, 1.98)), data).verdict(), "at the bound")
    expect(not judge(promise(Bound(True, 1.98)), data).surely_missed(Bound(True, 1.98)), "noise is no regression")
    expect(judge(promise(Bound(True, 1.5)), data).surely_missed(Bound(True, 1.5)), "a regression")


def a_regression_is_what_a_second_measurement_shows_too(world) -> None:
    bound = Bound(True, 1.5)
    slow, fast, nothing = ({"x": [[value]] * 9, "y": [[50.0]] * 9} if value else {} for value in (100.0, 50.0, 0))
    first = judge(Promise("p", "what", "peers", "x", "y", bound, bound), slow)
    options = SimpleNamespace(regressions=True, no_run=False, size=QUICK, build=world.directory)
    measured = []
    for second, held in ((fast, True), (slow, False), (nothing, False)):
        with replaced(main.run, "run_part", lambda part, *_, second=second: measured.append(part.name) or SimpleNamespace(data=second)):
            said = io.StringIO()
            with redirect_stdout(said):
                expect(main.check(options, [first], world.directory) == held, f"{second}")
            expect("measured again" in said.getvalue(), said.getvalue())
    expect(measured == ["peers"] * 3, f"{measured}")


def one_figure_is_judged_alone(world) -> None:
    expect(judge(promise(Bound(True, 0), ""), {"x": [0]}).verdict() == "reached", "none of it")
    expect(judge(promise(Bound(True, 0), ""), {"x": [2]}).verdict() == "NOT reached", "some of it")


def what_was_not_measured_is_told_from_what_failed(world) -> None:
    one = promise(Bound(True, 1))
    expect(judge(one, None).verdict() == specification.NOT_MEASURED, "no part")
    expect(judge(one, {"x": {"rounds": [], "failure": "not installed"}, "y": NOISY}).verdict() == specification.NOT_MEASURED, "no program")
    expect(judge(one, {"x": {"rounds": [], "failure": "failed: x"}, "y": NOISY}).failure == "failed: x", "a failure")


def what_fails_is_not_fast(world) -> None:
    """Whatever it measured until then."""
    one = promise(Bound(True, 10))
    expect(judge(one, {"x": {"rounds": NOISY, "failure": "failed: x"}, "y": NOISY}).failure == "failed: x", "half-way")
    expect(judge(promise(Bound(True, 10), "", "x/rates/2"), {"x": {"rates": {"2": [1.0]}, "failure": "failed: y"}}).failure == "failed: y", "what belongs to it")
    repetition = {"name": "x", "real_time": 0.0, "error_occurred": True, "error_message": "no"}
    expect(judge(promise(Bound(True, 10), "", "benchmarks/x/real_time"), {"benchmarks": [repetition]}).failure == "failed: no", "a repetition")
    expect(len(run.failures_in({"benchmarks": [repetition]})) == 1, "which is counted")


def small_samples_are_tested_exactly(world) -> None:
    expect(abs(samples.mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) - 2 / 252) < 1e-12, "five and five")
    expect(abs(samples.mann_whitney([1, 2, 3], [4, 5, 6]) - 2 / 20) < 1e-12, "three and three")
    expect(samples.mann_whitney([1, 4, 5, 8], [2, 3, 6, 7]) == 1, "no difference")
    expect(samples.mann_whitney([1.0] * 5, [1.0] * 5) == 1, "ties")
    expect(samples.mann_whitney(list(range(30)), list(range(30, 60))) < 1e-9, "many")


def rare_ones_need_many(world) -> None:
    values = [float(value) for value in range(100)]
    expect(samples.tail(values, 0.99) == "98" and samples.tail(values[:99], 0.99) == "", "one of a hundred")
    expect(samples.tail(values[:10], 0.9, 1) == "8.0" and samples.tail(values[:9], 0.9) == "", "one of ten")


def an_exponent_is_fitted(world) -> None:
    for wanted in (0.0, 0.5, 1.0, 2.0):
        found = growth.exponent([(n, 7 * n ** wanted) for n in (1, 10, 100, 1000)])
        expect(abs(found - wanted) < 1e-9, f"{found} for {wanted}")
    disturbed = [(n, 3.0 * n if n != 16 else 900.0) for n in (1, 2, 4, 8, 16, 32, 64)]
    expect(abs(growth.exponent(disturbed) - 1) < 0.1, "one disturbed point")
    expect(growth.exponent([(1, 1), (2, 2)]) is None, "two points")


def growth_above_linear_is_warned_of(world) -> None:
    expect("WARNING" in growth.words([(n, float(n * n)) for n in (1, 2, 4, 8)]), "square")
    expect("WARNING" not in growth.words([(n, float(n)) for n in (1, 2, 4, 8)]), "linear")
    hidden = [(n, 1000 + n * n / 100) for n in (1, 10, 100, 1000, 10000)]
    expect(growth.last_slope(hidden) > 1.3 and "WARNING" in growth.words(hidden), "square, behind a large fixed part")


def growth_behind_a_fixed_part_is_told(world) -> None:
    counts = (1, 8, 64, 512, 4096)
    linear = growth.columns([(n, 50 + n / 4) for n in counts])
    expect(linear[0] < "n^0.5" and linear[1] > "n^0.6" and linear[2] == "n^1.00", f"{linear}")
    flat = growth.columns([(n, 50 + n % 3) for n in counts])
    expect(flat[2] == "" and len(flat) == len(growth.HEAD), f"{flat}")
    expect(growth.columns([]) == ("too few points", "", ""), "nothing")
    expect(growth.label([(n, 50 + n / 4) for n in (1, 8, 64, 512, 4096)]).endswith(" at the end"), "in a plot too")
    expect(growth.label([(n, 3.0 * n) for n in (1, 8, 64)]) == "n^1.00", "where it is another")


def contention_is_told_from_waiting_for_a_cpu(world) -> None:
    expect("WARNING" not in growth.of_rates([(n, 1000.0) for n in (1, 2, 4, 8, 16)]), "n share one CPU")
    expect("WARNING" in growth.of_rates([(n, 1000.0 / n) for n in (1, 2, 4, 8, 16)]), "the more, the fewer")


def short_stages_are_put_together(world) -> None:
    bars = {"a": {"long": 90.0, "tiny": 1.0, "other": 50.0}, "b": {"long": 10.0}}
    expect(plot.shown_stages(bars) == ["long", "other", plot.REST], f"{plot.shown_stages(bars)}")
    many = {"a": {f"s{n}": float(n + 20) for n in range(30)}}
    expect(len(plot.shown_stages(many)) == len(plot.COLOURS), "no colour stands for two")


def the_whole_of_a_start_is_counted_once(world) -> None:
    found = figures.apart({"queue": 1, "fork": 2, "exec": 3, "start": 9, "call": 4})
    expect(found == {"queue": 1, "fork": 2, "exec": 3, "start, the rest": 4, "call": 4}, f"{found}")
    expect(figures.apart({"resume": 1, "call": 4}) == {"resume": 1, "call": 4}, "there was no start")


def axes_have_figures(world) -> None:
    for least, most in ((3, 70), (0.02, 900), (20, 45), (1, 1e6)):
        expect(len(plot.tics(least, most)) >= 2, f"{least} to {most}")


def pages_escape_what_they_show(world) -> None:
    shown = page.render("# <a>\n\n| x \\| y | 1 |\n|---|--:|\n| `<b>` | 2.5 |\n\n```\n<c>\n```\n", world.directory, "t")
    expect("<a>" not in shown and "<b>" not in shown and "<c>" not in shown, shown)
    expect("x | y" in shown and '<td class="number">2.5</td>' in shown, shown)


def what_is_compared_has_names(world) -> None:
    data = {"sets": {"bare": [{"name": "fork", "rounds": [[1.0]]}]}, "peers": {"sock": {"rounds": [[2.0]]}}, "ways": [
        {"name": "w", "found": [{"count": 10, "rounds": [[3.0]]}]}], "busy": 0}
    expect(compare.rounds_in(data) == {"bare: fork": [[1.0]], "sock": [[2.0]], "w: 10": [[3.0]]}, f"{compare.rounds_in(data)}")


def import_trees_are_told_apart(world) -> None:
    """OpenLambda's figures stand at the nodes that their trees have, which one of the names does not say."""
    def tree(planner: str, size: int, nodes: int, rate: float) -> dict:
        return {"name": f"{planner}, {nodes} nodes", "planner": planner, "size": size, "nodes": nodes, "runs": [{"per_second": rate}], "rounds": [[1.0], [3.0]]}

    trees = [tree("Forklift's", 1, 1, 10.0), tree("ours flat", 40, 40, 70.0), tree("Forklift's", 640, 518, 100.0), tree("ours", 640, 518, 120.0)]
    expect(set(compare.rounds_in({"trees": trees})) == {f"trees: {one['name']}" for one in trees}, f"{compare.rounds_in({'trees': trees})}")
    drawn: dict[str, dict] = {}
    with replaced(figures, "line_plot", lambda file, title, x, y, lines, **_: drawn.update({file.name: lines})):
        shown = figures.import_cache({"trees": [*trees, tree("ours", 40, 40, 0.0) | {"runs": [], "rounds": []}]}, world.directory)
    expect(drawn["import-cache.svg"] == {"Forklift's tree": [(1, 10.0), (518, 100.0)], "our tree": [(518, 120.0)], figures.OPENLAMBDA: [(1, 36), (518, 159)]}, f"{drawn}")
    expect(drawn["import-cache-median.svg"]["our tree"] == [(518, 2.0)], f"{drawn}")
    expect(len(shown) == 2 and "12 times" in shown[0][1], f"{shown}")


def the_share_of_the_kernel_is_read(world) -> None:
    used = cpu.parse("cpu  100 20 300 4000 50 6 70 8 0 0\ncpu0 1 2 3\n")
    expect(used == cpu.CpuTime(120, 376), f"{used}")
    expect(abs(used.kernel_share() - 376 / 496) < 1e-9, "the share")
    expect((cpu.CpuTime(11, 11) - cpu.CpuTime(10, 10)).kernel_share() is None, "too little to tell")


def rounds_end_when_the_time_does(world) -> None:
    expect(list(rounds(3)) == [0, 1, 2], "as many as were asked for")
    expect(list(rounds(5, 0, 2)) == [0, 1] and list(rounds(1, 0, 2)) == [0] and list(rounds(3, 0)) == [0], "no more than are needed")


def failures_are_counted_wherever_they_are(world) -> None:
    found = run.failures_in({"sets": {"a": [{"name": "w", "failure": "failed: x"}]}, "trees": [{"name": "t", "runs": [{"failures": 3}]}],
                             "peers": {"crun": {"failure": "not installed"}, "sock": {"failure": ""}}})
    expect(len(found) == 3 and all(any(word in one for one in found) for word in ("failed: x", "3 failed", "not installed")), f"{found}")


def requirements_are_read_as_the_library_reads_them(world) -> None:
    found = list(forklift.pinned("# of pip\n--hash=x\na==1.0\n  # via b\nb-c[extra]==2.0 ; python_version < '3'\nd>=3\n\ne==4 \\\n"))
    expect(found == [("a", "1.0"), ("b-c", "2.0"), ("e", "4")], f"{found}")


def a_sample_is_of_all_of_it(world) -> None:
    expect(forklift.spread(list(range(100)), 4) == [0, 25, 50, 75], "a sample")
    expect(forklift.spread([1, 2], 4) == [1, 2] and forklift.spread([], 4) == [], "more than there are")


def what_a_zygote_lacks_is_counted(world) -> None:
    costs = {name: {"versions": {"1": {"top": [name] if milliseconds else [], "cost": {"ms": milliseconds}}}} for name, milliseconds in (("a", 1), ("b", 2), ("c", 4), ("d", 0))}
    function = forklift.Function("f", tuple((name, "1") for name in "abcd"), ("a", "b", "c"))
    zygotes = [{"name": "root", "parent": None, "packages": []}, {"name": "n1", "parent": "root", "packages": ["a==1"]}, {"name": "n2", "parent": "n1", "packages": ["b==1"]}]
    found = [forklift.to_import(function, name, zygotes, costs) for name in ("root", "n1", "n2", "gone")]
    expect(found == [(7, 7), (6, 7), (4, 7), (7, 7)], f"{found}")


def program(name: str) -> ModuleType:
    """One of bench/, not run."""
    loader = SourceFileLoader(name, str(PROJECT / "bench" / name))
    module = module_from_spec(spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def ways_are_tested_against_those_beside_as_many(world) -> None:
    costs = program("kernel_costs")
    first, second, third, fourth = ways = [costs.Way(f"w, {count} there", ["x"], "w", count) for count in (1, 1, 64, 64)]
    for way, shift in ((first, 0), (third, 50), (fourth, 50)):
        way.rounds = [[value + shift] for [value] in NOISY]
    expect(costs.p_to_first(fourth, ways) == "1" and costs.p_to_first(third, ways) == "", "as the first beside as many")
    expect(costs.p_to_first(second, [second, first]) == costs.p_to_first(first, [second, first]) == "", "nothing to be tested against")
    expect(costs.latency_rows("t", ways)[0][5] == "p to the first beside as many" and costs.latency_rows("t", [first])[0][5] == "p to the first", "the head")


def the_end_of_network_namespaces_is_in_a_rate(world) -> None:
    costs = program("kernel_costs")
    new, joined = (costs.Way("a", ["driver", how, "--namespaces", names]) for how, names in (("child", "pid,net"), ("joined", "pid,mnt")))
    expect(new.makes_networks() and not joined.makes_networks(), "which have an end to be waited for")
    expect(costs.until_gone(1000, 0.5, 1.5) == 250, "500 in two seconds")
    new.rates, new.gone_rates = {1: [900.0], 2: [1100.0, 1000.0, 1050.0]}, {1: [200.0]}
    expect(costs.rate_rows([new])[1:] == [("a", "900", "1050", "", "", ""), ("a, until it is gone", "200", "", "", "", "")], f"{costs.rate_rows([new])}")
    expect(costs.best(new.rates) == 1050 and costs.best({}) != costs.best({}), "the best, or nothing")


def what_grows_is_kept_as_far_as_it_was_measured(world) -> None:
    parts = program("growth")
    expect(all(not curve["points"] for shown in parts.plots([]) for curve in shown["curves"]), "plots of nothing")
    way = parts.Way(parts.CREATED, ["x"], (1,), {1: parts.At(1, [], {"pss": [parts.MIB / 2], "private": [parts.MIB / 4], "available": [0.0]})})
    expect(parts.density_rows([way])[1][-1] == "2,048", f"{parts.density_rows([way])}")


def cgroups_that_cannot_be_made_cost_one_way(world) -> None:
    parts = program("growth")

    def none() -> None:
        raise OSError("read-only")

    way = parts.Way(parts.GROUPS, ["x", "--state", "y"], ())
    with replaced(parts, "Groups", none), redirect_stderr(io.StringIO()):
        parts.measure_by_groups(way, parts.SMOKE, world.directory / "groups")
    expect(way.failure == "failed: read-only", way.failure)


def every_part_fits_into_its_run(world) -> None:
    for size, minutes in ((QUICK, 25), (FULL, 130)):
        total = sum(part.seconds[size] for part in PARTS if size in part.arguments)
        expect(total <= minutes * 60, f"{size}: {total} s, if all parts took all that they may")


TESTS = [bounds_and_paths_are_read, reasons_are_shown_where_a_goal_is_missed, a_bound_that_is_none_is_refused, what_is_promised_can_be_found,
         names_with_slashes_and_lists_of_names_are_found, a_ratio_is_judged_with_its_interval, a_regression_is_what_a_second_measurement_shows_too, one_figure_is_judged_alone,
         what_was_not_measured_is_told_from_what_failed, what_fails_is_not_fast, small_samples_are_tested_exactly, rare_ones_need_many, an_exponent_is_fitted, contention_is_told_from_waiting_for_a_cpu, growth_above_linear_is_warned_of,
         short_stages_are_put_together, the_whole_of_a_start_is_counted_once, axes_have_figures, pages_escape_what_they_show, rounds_end_when_the_time_does, failures_are_counted_wherever_they_are,
         what_is_compared_has_names, import_trees_are_told_apart, the_share_of_the_kernel_is_read,
         requirements_are_read_as_the_library_reads_them, a_sample_is_of_all_of_it, what_a_zygote_lacks_is_counted,
         growth_behind_a_fixed_part_is_told, ways_are_tested_against_those_beside_as_many, the_end_of_network_namespaces_is_in_a_rate,
         what_grows_is_kept_as_far_as_it_was_measured, cgroups_that_cannot_be_made_cost_one_way,
         every_part_fits_into_its_run]
