"""Put a compiled configuration in force at ribd: the routes that it adds and removes, and who the neighbors are.

Whoever compiles a configuration leaves it as the *pending* one. Control sends ribd the difference to the *applied*
one, numbered under the pending one's own revision, so that doing it again after a death changes nothing; then the
pending file becomes the applied file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from apid.difference import Change, difference
from apid.live import Wanted, read_compiled, read_live, write_live
from apid.programs import write_files
from apid.riblink import RibLink
from bus.daemon import RunDirectory, new_epoch
from bus.schema import AppliedConfiguration, Message, SchemaError
from bus.settings import read_settings, write_settings

ITEMS_PER_REQUEST = 20_000


def read_applied(path: Path) -> AppliedConfiguration | None:
    """Read the applied or pending configuration; None where there is none."""
    if not path.exists():
        return None
    value = read_settings(path)
    if not isinstance(value, AppliedConfiguration):
        raise SchemaError(f"{path} holds {type(value).__name__}")
    return value


def leave_pending(run: RunDirectory, value: AppliedConfiguration) -> None:
    """Leave a configuration for control to put in force."""
    write_settings(run.pending, replace(value, revision=new_epoch()))


def leave(run: RunDirectory, wanted: Wanted) -> None:
    """Write everything that the other processes are told, and leave the whole for control to put in force."""
    write_files(run, wanted.compiled)
    write_live(run.live, wanted.live)
    leave_pending(run, wanted.compiled.applied)


def read_wanted(run: RunDirectory) -> Wanted | None:
    """Return what was wanted last, whether it is in force yet or not; None where there is nothing."""
    applied = read_applied(run.pending) or read_applied(run.applied)
    if applied is None:
        return None
    return Wanted(read_compiled(run, applied), read_live(run.live))


def put_in_place(run: RunDirectory) -> None:
    """Make the pending configuration the applied one."""
    if run.pending.exists():
        run.pending.replace(run.applied)


@dataclass(frozen=True, slots=True)
class Plan:
    """What ribd must be told. `fresh`: nothing was in force before, so what ribd still holds is from another life."""

    target: AppliedConfiguration
    changes: list[Change]
    fresh: bool

    @property
    def epoch(self) -> str:
        """The name under which requests are numbered: equal plans must number equally, others never."""
        name = f"{self.target.generation}/{self.target.revision}"
        return f"{name}/fresh" if self.fresh else name


def plan(run: RunDirectory, fresh: bool = False) -> Plan | None:
    """Compare what is pending with what is applied; None where there is neither."""
    applied = read_applied(run.applied)
    target = read_applied(run.pending) or applied
    if target is None:
        return None
    if applied is not None and applied.generation == target.generation:
        return Plan(target, [], fresh)
    changes = difference(applied.routes if applied is not None else [], target.routes, target.neighbors)
    return Plan(target, list(parts(changes)), fresh)


def parts(changes: list[Change]) -> list[Change]:
    """Cut large changes, so that no message is too large for the bus."""
    return [
        (names, announce, afi, safi, attributes, items[start : start + ITEMS_PER_REQUEST])
        for names, announce, afi, safi, attributes, items in changes
        for start in range(0, len(items), ITEMS_PER_REQUEST)
    ]


class Enforcer:
    """The way of one plan into force. `done` gets the first refusal, or nothing."""

    def __init__(
        self, plan: Plan, send: Callable[[Message], bool], log: logging.Logger, done: Callable[[str], None]
    ) -> None:
        self._plan, self._log, self._done = plan, log, done
        self._refusal = ""
        self.link = RibLink("control", plan.epoch, send)

    def start(self) -> None:
        """Send everything; the neighbors come last, because from then on sessions are sent their routes."""
        link, target = self.link, self._plan.target
        if self._plan.fresh:
            link.enrol([], self._answered)
        for names, announce, afi, safi, attributes, items in self._plan.changes:
            link.apply([names], [[0, announce, afi, safi, attributes, items]], self._answered)
        link.enrol(target.neighbors, self._finished)

    def _answered(self, reason: str) -> None:
        if reason:
            self._log.error("ribd refused the configuration reason=%s", reason)
            self._refusal = self._refusal or reason

    def _finished(self, reason: str) -> None:
        self._answered(reason)
        self._done(self._refusal)
