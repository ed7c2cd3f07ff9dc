"""Rules about the text of the files. Each takes the project and its files, and returns complaints.

The patterns are written so that they do not find themselves.
"""

import re
from collections.abc import Iterator
from pathlib import Path

CPP = (".cpp", ".hpp", ".h", ".c")
PRODUCT = ("include/", "lib/", "tools/", "zygote/")
MOST_LINES, MANY_LINES = 400, 300


def _lines(project: Path, files: list[str]) -> Iterator[tuple[str, str]]:
    """Every line of the text files, with its place."""
    for file in files:
        try:
            text = (project / file).read_text()
        except UnicodeDecodeError:
            continue  # binary test data
        for number, line in enumerate(text.splitlines(), 1):
            yield f"{file}:{number}", line


def _search(project: Path, files: list[str], pattern: str, complaint: str) -> list[str]:
    compiled = re.compile(pattern)
    return [f"{place}: {complaint}: {line.strip()}"
            for place, line in _lines(project, files) if compiled.search(line)]


def _inside(files: list[str], trees: tuple[str, ...], endings: tuple[str, ...] = ("",)) -> list[str]:
    return [file for file in files if file.startswith(trees) and file.endswith(endings)]


def headers_explain(project: Path, files: list[str]) -> list[str]:
    """A C++ file opens with a comment that says its job, before or right after #pragma once."""
    opening = re.compile(r"\A\s*(#pragma once\s+|#ifndef \w+\s+#define \w+\s+)?(//|/\*)")
    return [f"{file}: does not open with a comment that says what it is for"
            for file in _inside(files, PRODUCT, CPP)
            if not opening.match((project / file).read_text())]


def names_say_something(project: Path, files: list[str]) -> list[str]:
    vague = re.compile(r"(?:^|[_-])(utils?|common|helpers?|misc|managers?)(?:[_.-]|$)")
    return [f"{file}: a name that could hold anything" for file in files
            if vague.search(Path(file).name)]


def tests_wait_for_events(project: Path, files: list[str]) -> list[str]:
    """No sleeping in tests. A payload may sleep, and so may a shell's background process: those
    are what is tested, not how the test waits."""
    tests = [file for file in _inside(files, ("tests/",)) if not file.startswith("tests/payloads/")]
    call = r"\b(u?sleep|nanosleep|sleep_for|sleep_until)\s*\("
    shell = r"(^|[;&|]|\b(do|then|else)\b)\s*sleep\s+[\d.$]+[^&]*$"
    scripts = [file for file in tests if not file.endswith((*CPP, ".py"))]
    return (_search(project, tests, call, "sleeps instead of waiting for an event") +
            _search(project, scripts, shell, "sleeps instead of waiting for an event"))


def nothing_is_unfinished(project: Path, files: list[str]) -> list[str]:
    return _search(project, _inside(files, PRODUCT), r"\b(TODO|FIXME|XXX|HACK)\b", "a mark left behind")


def no_machine_is_named(project: Path, files: list[str]) -> list[str]:
    paths = r"/(work/(main|shared)|home/[a-z]\w*|root/[\w.])"
    hosts = (r"\b(deb|ftp|security|snapshot|archive)\.(\w+\.)?(debian|ubuntu)\."
             r"|\bregistry\.npm|\bproxy\.golang\.|\bpypi\.|\bfiles\.pythonhosted|\bcrates\.io")
    return (_search(project, files, paths, "a path of one machine") +
            _search(project, files, hosts, "the host of a registry"))


def files_are_one_concept(project: Path, files: list[str]) -> tuple[list[str], list[str]]:
    """Complaints, and warnings about the files that are getting there."""
    sizes = {file: len((project / file).read_text().splitlines())
             for file in _inside(files, PRODUCT, CPP)}
    return ([f"{file}: {lines} lines, more than {MOST_LINES}" for file, lines in sizes.items()
             if lines > MOST_LINES],
            [f"{file}: {lines} lines" for file, lines in sizes.items()
             if MANY_LINES < lines <= MOST_LINES])


def only_sys_knows_errno(project: Path, files: list[str]) -> list[str]:
    places = [file for file in _inside(files, ("include/", "lib/", "tools/"), CPP)
              # sockctl may not include lib/sys, and has one file of system calls of its own.
             if not file.startswith(("lib/sys/", "tools/sockctl/posix."))]
    ignored = re.compile(r'"(?:\\.|[^"\\])*"|//.*|/\*.*?\*/|^\s*(\*|/\*|#\s*include).*')
    return [f"{place}: errno belongs to lib/sys: {line.strip()}"
            for place, line in _lines(project, places)
            if re.search(r"\berrno\b", ignored.sub("", line))]


def early_returns_leak_nothing(project: Path, files: list[str]) -> list[str]:
    """SOCK_TRY returns from the middle of an expression, and g++ 12 does not destroy what that
    expression has made so far: the earlier members of a braced initialiser, the other arguments of
    a call. As the only argument it has nothing before it."""
    found = []
    for file in _inside(files, PRODUCT, (".cpp", ".hpp")):
        text = _without_comments_and_strings((project / file).read_text())
        for use in re.finditer(r"\bSOCK(CTL)?_TRY\(", text):
            if text[text.rfind("\n", 0, use.start()) + 1:].startswith("#define"):
                continue
            if _has_company(text, use.start(), use.end()):
                line = text.count("\n", 0, use.start()) + 1
                found.append(f"{file}:{line}: {use[0]}...) beside other values: give it a line of its own")
    return found


def awaited_values_have_names(project: Path, files: list[str]) -> list[str]:
    """g++ 12 destroys twice what a braced initialiser makes among the arguments of an awaited call,
    and what a conditional expression awaits."""
    found = []
    for file in _inside(files, PRODUCT, (".cpp", ".hpp")):
        text = _without_comments_and_strings((project / file).read_text())
        for awaited in re.finditer(r"\bco_await\b[^;]*;", text):
            statement = text[max(text.rfind(mark, 0, awaited.start()) for mark in ";{}") + 1:awaited.end()]
            if re.search(r"[(,]\s*\{\s*\.", awaited[0]) or re.search(r"\?[^;]*:[^:][^;]*\bco_await\b|\?\s*co_await\b", statement):
                line = text.count("\n", 0, awaited.start()) + 1
                found.append(f"{file}:{line}: g++ 12 miscompiles this: name the value, and await by itself")
    return found


def _without_comments_and_strings(text: str) -> str:
    """Of the same length, so that places stay what they are."""
    blank = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
    return blank.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _has_company(text: str, start: int, end: int) -> bool:
    """What stands at text[start] is in an initialiser, or is one of several arguments of a call."""
    closes = _closing(text, end)
    depth, comma, at = 0, False, start - 1
    while at >= 0:
        char = text[at]
        if char in ")]}":
            depth += 1
        elif char in "([{" and depth > 0:
            depth -= 1
        elif char == "{":
            return _opens_initialiser(text, at)
        elif char in "([":
            control = re.search(r"\b(if|while|for|switch)\s*\Z", text[max(0, at - 16):at])
            if control:
                return False
            after = re.match(r"[^(){}\[\]]*?,", text[closes:])
            if comma or after:
                return True
            closes, comma = _closing(text, closes), False
        elif depth == 0 and char == ";":
            return False
        elif depth == 0 and char == ",":
            comma = True
        at -= 1
    return False


def _closing(text: str, at: int) -> int:
    """Behind the bracket that closes the one that is open at `at`."""
    depth = 1
    while depth > 0 and at < len(text):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        at += 1
    return at


def _opens_initialiser(text: str, brace: int) -> bool:
    before = re.split(r"[;{}]", text[max(0, brace - 400):brace])[-1].rstrip()
    block = re.search(r":\Z|\)(\s*(const|noexcept|mutable|override))*\Z|->[^()]*\Z"
                      r"|(^|\s)(else|do|try|extern|namespace|struct|class|enum)\b[\w\s:,<>]*\Z", before)
    return before != "" and block is None


def python_is_valid(project: Path, files: list[str]) -> list[str]:
    found = []
    for file in files:
        source = (project / file).read_bytes()
        if not file.endswith(".py") and not re.match(rb"#!.*\bpython3", source):
            continue
        try:
            compile(source, file, "exec")  # in memory: nothing is written beside the file
        except SyntaxError as error:
            found.append(f"{file}:{error.lineno}: {error.msg}")
    return found


def nothing_built_is_committed(project: Path, files: list[str]) -> list[str]:
    endings = (".o", ".a", ".so", ".pyc", ".gcno", ".gcda", ".profraw")
    return [f"{file}: a build product" for file in files
            if file.endswith(endings) or file.startswith("build/") or _is_program(project / file)]


def _is_program(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"
