"""Route changes on their way from a helper to ribd: batches of what was read together, and groups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from apid.grammar.fast import Routes, Single
from apid.riblink import MOST_OCTETS, octets_of_names, octets_of_routes

BATCH_OCTETS = 1024 * 1024  # of routes, after which another batch is begun
MOST_COMMANDS = 100_000  # in a group
DONE, ERROR = b"done\n", b"error\n"


class Batch(Struct, eq=False):
    """Route changes of one request, and how the lines they came from are to be answered."""

    unheard: bool = False  # the helper that wrote these commands is gone
    wait: bool = False  # answered once the peers were sent them
    careful: bool = False  # ribd may refuse it, so nothing else is under way at the same time
    targets: list[list[str]] = field(default_factory=list)
    index: dict[tuple[str, ...], int] = field(default_factory=dict)
    changes: list[list[Any]] = field(default_factory=list)
    answers: list[tuple[bytes, int]] = field(default_factory=list)
    steps: list[Routes | Single] = field(default_factory=list)  # of a careful batch: what it was made of
    report: bytes = b""  # said before the answer if it is carried out
    size: int = 0  # octets on the bus, roughly
    answered: bool = False

    def add(
        self,
        names: tuple[str, ...],
        announce: bool,
        family: Sequence[int],
        attributes: bytes,
        items: list[bytes],
        lease: int = 0,
    ) -> None:
        """Add a change; `lease` in seconds, 0 for ever."""
        target = self.index.get(names)
        if target is None:
            target = self.index[names] = len(self.targets)
            self.targets.append(list(names))
            self.size += octets_of_names(names)
        change = [target, int(announce), family[0], family[1], attributes, items]
        if lease:
            change.append(lease)
        self.changes.append(change)
        self.size += octets_of_routes(attributes, items)

    def answer(self, line: bytes, count: int = 1) -> None:
        """Say how the next `count` lines will be answered if ribd takes the batch."""
        if self.answers and self.answers[-1][0] == line:
            self.answers[-1] = (line, self.answers[-1][1] + count)
        else:
            self.answers.append((line, count))

    @property
    def names(self) -> list[str]:
        """All neighbors that it addresses."""
        return sorted({name for names in self.targets for name in names})


class OpenGroup(Struct):
    """What a helper has said since `group start`: one request in the end, or none if any of it was wrong."""

    batch: Batch = field(default_factory=Batch)
    commands: int = 0
    announced: int = 0
    withdrawn: int = 0
    fault: str = ""  # why the group will not be carried out
    unheard: bool = False

    def fail(self, reason: str) -> None:
        """Give up the whole group; the first reason is the one that `group end` gives."""
        self.fault = self.fault or reason
        self.batch = Batch()

    def count(self, announce: bool, routes: int, commands: int) -> str:
        """Count commands that were added; return why they are too many, or nothing."""
        self.commands += commands
        if announce:
            self.announced += routes
        else:
            self.withdrawn += routes
        if self.commands > MOST_COMMANDS:
            return f"a group holds at most {MOST_COMMANDS} commands"
        if self.batch.size > MOST_OCTETS:
            return f"a group holds at most {MOST_OCTETS} octets of routes"
        return ""

    @property
    def report(self) -> bytes:
        """What `group end` says of a group that was carried out."""
        said = {
            "status": "group processed",
            "commands": self.commands,
            "announced": self.announced,
            "withdrawn": self.withdrawn,
        }
        return f"{json.dumps(said)}\n".encode()
