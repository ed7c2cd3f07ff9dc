"""The two kinds of test: a Probe runs a payload inside, a Scenario drives sockctl from outside.

A probe's payload (tests/payloads) says BLOCKED, CONTAINED or ALLOWED. It must not say ALLOWED
in the default profile, and must say it in the probe's control, a deliberately weak configuration;
otherwise it would prove nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

USER = "U"  # uid 1000
MAPPED_ROOT = "R"  # uid 0 in a user namespace
PLAIN_ROOT = "Z"  # uid 0 of the machine, without a user namespace

UNCONFINED = ("--seccomp", "unconfined")
MOUNTING = (*UNCONFINED, "--own-mounts", "--cap-add", "sys_admin")


@dataclass(frozen=True)
class Control:
    """Where the attack works. `@weak` and the like in options name entries of the World."""

    options: tuple[str, ...] = ()
    identity: str = USER
    on_host: bool = False  # no container at all: as uid 1000 of the machine


@dataclass(frozen=True)
class Probe:
    id: str
    title: str
    control: Control | None
    identities: str = USER + MAPPED_ROOT
    options: tuple[str, ...] = ()  # beyond the default profile, needed to make the attempt
    errors: frozenset[str] = frozenset()  # if given, the only ones that count as blocked
    todo: str = ""  # a known weakness: why the probe fails today
    alone: bool = False  # it disturbs its neighbours: a container of its own


@dataclass(frozen=True)
class Scenario:
    id: str
    title: str
    run: Callable[[Any, Any], str | None]  # (world, starter); raises Failure; may say what it saw
    todo: str = ""


class Failure(Exception):
    """What a scenario saw that must not be."""


@dataclass(kw_only=True)
class Verdict:
    name: str
    ok: bool
    detail: str = ""
    todo: str = ""
    skip: str = ""
    log: list[str] = field(default_factory=list)


def check(condition: object, message: str) -> None:
    if not condition:
        raise Failure(message)
