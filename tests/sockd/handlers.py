"""What a handler in Python may be, and the module that it is in."""

from cases import expect
from failures import error_of
from world import HANDLER, World, archive

# Each with what it answers to two keys: those that can be are given a context as well.
SHAPES = {
    "lambda event: 'one'": "one",
    "lambda event, context: context.function_name": "f",
    "lambda event, context=None: context.function_name": "f",
    "lambda event, context, /, more=3: more": 3,
    "lambda *both: len(both)": 2,
    "lambda event, *rest: len(rest)": 1,
    "lambda event, **named: 'one'": "one",
    "lambda event, *, key=1: key": 1,
    "lambda event, context, *, key=1: key": 1,
    "functools.wraps(lambda event: 0)(lambda *given: len(given))": 1,
    "functools.wraps(lambda event, context: 0)(lambda *given: len(given))": 2,
    "functools.partial(lambda a, event, context: a, 5)": 5,
    "Thing().method": "one",
    "Thing().both": "f",
    "Thing()": "called with f",
    "Thing.static": "f",
    "Thing.of_class": "Thing",
    "len": 2,
}
THING = """import functools
class Thing:
    def method(self, event): return 'one'
    def both(self, event, context): return context.function_name
    def __call__(self, event, context): return 'called with ' + context.function_name
    @staticmethod
    def static(event, context): return context.function_name
    @classmethod
    def of_class(cls, event): return cls.__name__
"""


def put(world: World, files: dict[str, str | bytes], handler: str = "main:handler") -> None:
    reply = world.put("f", archive({"function.toml": HANDLER.replace("main:handler", handler), **files}))
    expect(reply.status == 200, str(reply))


def functions_of_every_shape(world: World) -> None:
    world.start()
    shapes = "".join(f"handler{i} = {shape}\n" for i, shape in enumerate(SHAPES))
    for i, (shape, expected) in enumerate(SHAPES.items()):
        put(world, {"main.py": THING + shapes}, f"main:handler{i}")
        found = world.result("f", '{"a": 1, "b": 2}')
        expect(found == expected, f"{shape}: {found!r}, not {expected!r}")
    for shape in ("lambda event, context, more: 0", "lambda event, context, *, key: 0", "lambda: 0"):
        put(world, {"main.py": f"handler = {shape}\n"})
        expect(error_of(world.invoke("f"))["errorType"] == "TypeError", shape)


ABOUT_ITSELF = """# -*- coding: latin-1 -*-
'''Says what it is.'''
import inspect, sys
from dataclasses import dataclass
@dataclass
class Row:
    name: str = 'gr\xfc\xdf'
def handler(event):
    module = sys.modules[__name__]
    return [__name__, __file__, __package__, __doc__, __spec__.name, __spec__.origin, __loader__ is __spec__.loader,
            module.handler is handler, inspect.getsource(handler).split('(')[0], Row().name, Row.__module__]
"""


def modules_know_what_they_are(world: World) -> None:
    world.start()
    put(world, {"main.py": ABOUT_ITSELF.encode("latin-1")})
    path = "/handler/main.py"
    expected = ["main", path, "", "Says what it is.", "main", path, True, True, "def handler", "gr\xfc\xdf", "main"]
    found = world.result("f")
    expect(found == expected, f"{found}")


INNER = "import sys\nfrom . import other\ndef handler(event): return [__name__, __package__, other.value, 'pkg' in sys.modules]\n"
REPLACED = "import sys, types\nsys.modules[__name__] = types.SimpleNamespace(handler=lambda event: 'put there')\n"


def modules_are_found_as_by_import(world: World) -> None:
    world.start()
    for files, handler, expected in (
            ({"pkg/__init__.py": "", "pkg/inner.py": INNER, "pkg/other.py": "value = 7\n"}, "pkg.inner:handler", ["pkg.inner", "pkg", 7, True]),
            ({"pkg/__init__.py": "def handler(event): return __file__\n"}, "pkg:handler", "/handler/pkg/__init__.py"),
            ({"main.py": "import beside\nhandler = beside.handler\n", "beside.py": "def handler(event): return __name__\n"}, "main:handler", "beside"),
            ({"main.py": REPLACED}, "main:handler", "put there"),
            ({"main.py": ""}, "json:dumps", '{"a": 1}')):  # Not beside the code at all.
        put(world, files, handler)
        found = world.result("f", '{"a": 1}')
        expect(found == expected, f"{handler}: {found!r}")


def modules_that_fail_are_named(world: World) -> None:
    world.start()
    for files, what in (({"main.py": "def handler(event) return 1\n"}, "SyntaxError"), ({"main.py": "import nothing_of_it\n"}, "ModuleNotFoundError"),
                        ({"main.py": "1 / 0\n"}, "ZeroDivisionError"), ({"main.py": "x = 1\n"}, "AttributeError"),
                        ({"other.py": ""}, "ModuleNotFoundError")):
        put(world, files)
        reply = world.invoke("f")
        expect(error_of(reply)["errorType"] == "Runtime.ExitError", f"{what}: {reply}")
        printed = world.logs("f")[-1]["printed"]
        expect(what in printed and "sock_payload" not in printed, f"{what}: {printed}")


TESTS = [functions_of_every_shape, modules_know_what_they_are, modules_are_found_as_by_import, modules_that_fail_are_named]
