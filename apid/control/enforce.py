"""Put a compiled configuration in force at ribd: the routes that it adds and removes, and who the neighbors are.

Whoever compiles a configuration leaves it as the *pending* one. Control sends ribd the difference to the *applied*
one, numbered under the pending one's own revision, so that doing it again after a death changes nothing; then the
pending file becomes the applied file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from apid.difference import Change, changes_between, difference
from apid.live import Wanted, placed, read_compiled, read_live
from apid.load import Former
from apid.riblink import RibLink
from bus.daemon import RunDirectory, new_epoch
from bus.schema import AppliedConfiguration, Message, SchemaError
from bus.settings import read_settings, write_settings

ITEMS_PER_REQUEST = 20_000
OCTETS_PER_REQUEST = 256 * 1024  # of attribute sets and items, roughly
ATTEMPT = "attempted-"


def read_applied(path: Path) -> AppliedConfiguration | None:
    """Read the applied or pending configuration; None where there is none."""
    if not path.exists():
        return None
    value = read_settings(path)
    if not isinstance(value, AppliedConfiguration):
        raise SchemaError(f"{path} holds {type(value).__name__}")
    return value


def remember_attempt(run: RunDirectory) -> None:
    """Remember what is pending until it is undone: another one comes, and ribd may have taken a part of this one."""
    if (former := read_applied(run.pending)) is not None:
        attempt = run.state / f"{ATTEMPT}{former.generation}"
        attempt.unlink(missing_ok=True)
        attempt.hardlink_to(run.pending)


def write_pending(path: Path, value: AppliedConfiguration) -> None:
    """Write a configuration that is to be put in force, now."""
    write_settings(path, replace(value, revision=new_epoch()))


def attempts(run: RunDirectory) -> list[Path]:
    """Return the configurations that were pending, and never wholly in force."""
    return sorted(run.state.glob(f"{ATTEMPT}*"))


def read_former(run: RunDirectory) -> Former:
    """Return what neighbors have already. OSError, SchemaError or LoadError."""
    return Former(read_identities(run), placed(run))


def read_identities(run: RunDirectory) -> dict[str, str]:
    """Return the identities of neighbors by the names that they have in force, or had in what was attempted.

    Until another configuration is in force, ribd may hold routes under each of these names. OSError, SchemaError or
    LoadError.
    """
    identities = dict(read_live(run.live).identities)
    for path in (run.applied, *attempts(run), run.pending):
        if (each := read_applied(path)) is not None:
            identities |= each.identities
    return identities


def as_stored(value: Any) -> Any:
    """Turn tuples into lists, as reading a settings file does."""
    if isinstance(value, dict):
        return {key: as_stored(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_stored(each) for each in value]
    return value


def read_wanted(run: RunDirectory) -> Wanted | None:
    """Return what was wanted last, whether it is in force yet or not; None where there is nothing."""
    applied = read_applied(run.pending) or read_applied(run.applied)
    if applied is None:
        return None
    return Wanted(read_compiled(run, applied), read_live(run.live))


def put_in_place(run: RunDirectory, lineage: str) -> None:
    """Make the pending configuration the applied one, in force under this lineage of ribd's journal. OSError."""
    # It is in force at ribd already: the lineage may be written first, and may fail to be while nothing has changed.
    if not run.lineage.exists() or run.lineage.read_text() != lineage:
        temporary = run.lineage.with_name(f"{run.lineage.name}.new")
        temporary.write_text(lineage)
        temporary.replace(run.lineage)
    if run.pending.exists():
        run.pending.replace(run.applied)
    for attempt in attempts(run):
        attempt.unlink()


class Plan(Struct, frozen=True):
    """What ribd must be told. `fresh`: nothing was in force before, so what ribd still holds is from another life.

    lineage: of the journal that it is for.
    """

    target: AppliedConfiguration
    changes: list[Change]
    fresh: bool
    lineage: str = ""

    @property
    def epoch(self) -> str:
        """The name under which requests are numbered: equal plans must number equally, others never."""
        name = f"{self.target.generation}/{self.target.revision}/{self.lineage}"
        return f"{name}/fresh" if self.fresh else name


def plan(run: RunDirectory, fresh: bool = False, lineage: str = "") -> Plan | None:
    """Compare what is pending with what ribd may hold of the configuration; None where there is nothing pending.

    It holds what is applied, parts of what was attempted, and nothing at all where its journal is not the one that
    it had then.
    """
    applied = read_applied(run.applied)
    target = read_applied(run.pending) or applied
    if target is None:
        return None
    held = [each for each in (applied, *map(read_applied, attempts(run))) if each is not None]
    changes = [change for each in held for change in changes_between(each, target)]
    if not run.lineage.exists() or run.lineage.read_text() != lineage:
        changes += difference([], target.routes, target.neighbors)
    return Plan(target, parts(changes), fresh, lineage)


def parts(changes: list[Change]) -> list[Change]:
    """Cut large changes, so that no message is too large for the bus."""
    return [
        (names, announce, afi, safi, attributes, part, *former)
        for names, announce, afi, safi, attributes, items, *former in changes
        for part in cut(items)
    ]


def cut(items: list[bytes]) -> Iterator[list[bytes]]:
    """Cut routes into parts that fit a request each."""
    start = octets = 0
    for place, item in enumerate(items):
        octets += len(item)
        if place > start and (place - start >= ITEMS_PER_REQUEST or octets > OCTETS_PER_REQUEST):
            yield items[start:place]
            start, octets = place, len(item)
    yield items[start:]


def requests(changes: list[Change]) -> Iterator[tuple[list[str], list[list[Any]]]]:
    """Put changes for the same neighbors together: where all attributes differ, each change is one route."""
    together: list[list[Any]] = []
    addressed: list[str] = []
    octets = 0
    for names, announce, afi, safi, attributes, items, *former in changes:
        size = len(attributes) + sum(map(len, items)) + sum(map(len, former))
        if together and (names != addressed or octets + size > OCTETS_PER_REQUEST):
            yield addressed, together
            together, octets = [], 0
        addressed = names
        together.append([0, announce, afi, safi, attributes, items, *former])
        octets += size
    if together:
        yield addressed, together


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
            link.enrol([], {}, [], self._answered)
        for names, changes in requests(self._plan.changes):
            link.apply([names], changes, self._answered)
        link.enrol(target.neighbors, target.flow_limits, target.forgetful, self._finished)

    def _answered(self, reason: str) -> None:
        if reason:
            self._log.error("ribd refused the configuration reason=%s", reason)
            self._refusal = self._refusal or reason

    def _finished(self, reason: str) -> None:
        self._answered(reason)
        self._done(self._refusal)
