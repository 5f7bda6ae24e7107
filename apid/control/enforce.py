"""Put a compiled configuration in force: its routes to ribd, its settings to the daemons, its programs to supervisor.

Whoever compiles a configuration leaves it as the *pending* one. Control sends ribd the difference to the *applied*
one, numbered under the configuration's own generation, so that doing it again after a death changes nothing; then the
pending file becomes the applied file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apid.difference import Change, difference
from apid.riblink import RibLink
from bus.daemon import RunDirectory
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


class Enforcer:
    """The way of one configuration into force."""

    def __init__(
        self,
        run: RunDirectory,
        send: Callable[[Message], bool],
        log: logging.Logger,
        done: Callable[[AppliedConfiguration], None],
    ) -> None:
        self._run, self._send, self._log, self._done = run, send, log, done
        self.link: RibLink | None = None

    def start(self) -> None:
        """Send ribd what is pending; without anything pending, repeat who the neighbors are."""
        applied = read_applied(self._run.applied)
        pending = read_applied(self._run.pending) or applied
        if pending is None:
            return
        link = self.link = RibLink("control", pending.generation, self._send)
        old = [] if applied is None or applied.generation == pending.generation else applied.routes
        new = pending.routes
        if applied is not None and applied.generation == pending.generation:
            old, new = [], []
        for change in difference(old, new, pending.neighbors):
            for part in _parts(change):
                names, announce, afi, safi, attributes, items = part
                link.apply([names], [[0, announce, afi, safi, attributes, items]], self._answered)
        link.enrol(pending.neighbors, lambda reason: self._finished(pending, reason))

    def _answered(self, reason: str) -> None:
        if reason:
            self._log.error("ribd refused configured routes reason=%s", reason)

    def _finished(self, pending: AppliedConfiguration, reason: str) -> None:
        self._answered(reason)
        if self._run.pending.exists():
            self._run.pending.replace(self._run.applied)
        self._log.info("configuration in force generation=%s neighbors=%d", pending.generation, len(pending.neighbors))
        self._done(pending)


def _parts(change: Change) -> list[tuple[Any, ...]]:
    """Cut a large change, so that no message is too large for the bus."""
    names, announce, afi, safi, attributes, items = change
    return [
        (names, announce, afi, safi, attributes, items[start : start + ITEMS_PER_REQUEST])
        for start in range(0, len(items), ITEMS_PER_REQUEST)
    ]


def leave_pending(run: RunDirectory, value: AppliedConfiguration) -> None:
    """Leave a configuration for control to put in force."""
    write_settings(run.pending, value)
