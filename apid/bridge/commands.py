"""A helper's commands: read as fast as ribd takes them, carried out in order, answered in order.

Route changes of one read become one batch for ribd; their answers wait for its acknowledgement. Anything else is
carried out when everything before it has been answered.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from apid.bridge.targets import Targets
from apid.grammar.command_kinds import Acknowledge, Command, Comment, Debug, Flush, Reset, RouteChange, Version
from apid.grammar.fast import CommandReader, Invalid, Routes, Single
from apid.grammar.words import GrammarError
from apid.riblink import RibLink
from bus.daemon import one_line
from bus.schema import MESSAGE_LIMIT

LINE_LIMIT = 1024 * 1024  # octets of one command
LOGGED_REFUSALS = 10  # a second; more are counted
BATCH_OCTETS = 1024 * 1024  # of routes, after which the next one begins another batch: a message must fit the bus
ROUTE_OVERHEAD = 5  # octets that stand before an item or an attribute set on the bus, at most
DONE, ERROR = b"done\n", b"error\n"


@dataclass(slots=True)
class Batch:
    """Route changes on their way to ribd, and how the lines they came from are to be answered."""

    targets: list[list[str]] = field(default_factory=list)
    index: dict[tuple[str, ...], int] = field(default_factory=dict)
    changes: list[list[Any]] = field(default_factory=list)
    answers: list[tuple[bytes, int]] = field(default_factory=list)
    size: int = 0  # octets on the bus, roughly
    answered: bool = False
    unheard: bool = False  # the helper that wrote these commands is gone

    def add(
        self, names: tuple[str, ...], announce: bool, family: Sequence[int], attributes: bytes, items: list[bytes]
    ) -> None:
        """Add a change."""
        target = self.index.get(names)
        if target is None:
            target = self.index[names] = len(self.targets)
            self.targets.append(list(names))
        self.changes.append([target, int(announce), family[0], family[1], attributes, items])
        self.size += len(attributes) + sum(map(len, items)) + ROUTE_OVERHEAD * (len(items) + 4)

    def answer(self, line: bytes, count: int = 1) -> None:
        """Say how the next `count` lines will be answered if ribd takes the batch."""
        if self.answers and self.answers[-1][0] is line:
            self.answers[-1] = (line, self.answers[-1][1] + count)
        else:
            self.answers.append((line, count))


class Commands:
    """The command side of a bridge."""

    def __init__(
        self,
        rib: RibLink,
        targets: Targets,
        answer: Callable[[bytes, int], None],
        remote: Callable[[str], None],
        log: logging.Logger,
        version: str,
        acknowledge: bool,
    ) -> None:
        self._rib, self._targets = rib, targets
        self._output, self._remote, self._log = answer, remote, log
        self._version = version
        self._acknowledge = self._acknowledge_at_start = acknowledge
        self._reader = CommandReader()
        self._rest = b""
        self._skipping = False  # inside a line that is too long
        self._steps: deque[Routes | Single | Invalid] = deque()
        self._orphans = 0  # steps at the front whose helper is gone
        self._batches: deque[Batch] = deque()
        self._waiting = False  # for the answer of control
        self._unheard = False  # the helper whose command is being carried out is gone
        self._logged, self._logged_at, self._suppressed = 0, 0.0, 0
        self.count = self.errors = 0

    def reset(self) -> None:
        """Forget what belonged to a helper that is gone.

        Its complete commands are still carried out, but the next helper must not read their answers.
        """
        self._rest = b""
        self._skipping = False
        self._acknowledge = self._acknowledge_at_start
        self._orphans = len(self._steps)
        self._unheard = True
        for batch in self._batches:
            batch.unheard = True

    def configure(self, acknowledge: bool) -> None:
        """Take the setting for helpers that start from now on."""
        self._acknowledge_at_start = acknowledge

    @property
    def busy(self) -> bool:
        """Whether the helper must wait before it is read again."""
        return bool(self._steps) or self._waiting or self._rib.full

    def feed(self, octets: bytes, now: float) -> None:
        """Take what the helper wrote."""
        whole, newline, rest = octets.rpartition(b"\n")
        if self._skipping:
            _, ended, whole = (whole + newline).partition(b"\n")
            if not ended:
                return
            self._skipping = False
            self._rest = b""
        elif newline:
            whole = self._rest + whole + newline
            self._rest = b""
        self._rest += rest
        if whole:
            self._steps.extend(self._reader.read(whole))
        if len(self._rest) > LINE_LIMIT:
            error = GrammarError(f"a command of at most {LINE_LIMIT} octets expected, no newline came")
            self._steps.append(Invalid(self._rest[:60].decode(errors="replace"), error))
            self._rest, self._skipping = b"", True
        self.work(now)

    def work(self, now: float) -> None:
        """Carry out what can be carried out now."""
        batch: Batch | None = None
        while self._steps and not self._waiting:
            step, unheard = self._steps[0], self._orphans > 0
            alone = isinstance(step, Single) and not _for_ribd(step.command)
            if batch is not None and (alone or batch.unheard != unheard or batch.size >= BATCH_OCTETS):
                self._submit(batch)
                batch = None
            if batch is None and (self._batches if alone else self._rib.full):
                return
            self._steps.popleft()
            self._orphans -= unheard
            if isinstance(step, Single) and alone:
                self._carry_out(step, unheard)
                continue
            if batch is None:
                batch = Batch(unheard=unheard)
            self._collect(batch, step, now)
        if batch is not None:
            self._submit(batch)

    def _collect(self, batch: Batch, step: Routes | Single | Invalid, now: float) -> None:
        if isinstance(step, Invalid):
            self._refuse(batch, step.line, str(step.error), 1, now)
            return
        if isinstance(step, Routes):
            names, error = self._targets.find_text(step.selector_text, step.family, step.attributes)
            if error:
                self._refuse(batch, f"{step.lines} × announce/withdraw route", error, step.lines, now)
                return
            batch.add(names, step.announce, step.family, step.attributes, step.items)
            batch.answer(DONE, step.lines)
            return
        if isinstance(step.command, RouteChange):
            self._collect_change(batch, step.line, step.command, now)

    def _collect_change(self, batch: Batch, line: str, change: RouteChange, now: float) -> None:
        """Add all entries of a change, or none where one of them cannot be addressed."""
        for entry in change.entries:
            _, error = self._targets.find(change.selector, entry.family, entry.attributes)
            if error:
                self._refuse(batch, line, error, 1, now)
                return
        for entry in change.entries:
            names, _ = self._targets.find(change.selector, entry.family, entry.attributes)
            batch.add(names, change.announce, entry.family, entry.attributes, list(entry.items))
        batch.answer(DONE)

    def _refuse(self, batch: Batch, line: str, error: str, lines: int, now: float) -> None:
        batch.answer(ERROR, lines)
        self.errors += lines
        self.refused(line, error, now)

    def refused(self, line: str, error: str, now: float) -> None:
        """Log why a command was refused, a bounded number of times a second."""
        if now - self._logged_at >= 1.0:
            if self._suppressed:
                self._log.warning("commands refused, not logged one by one: count=%d", self._suppressed)
            self._logged, self._logged_at, self._suppressed = 0, now, 0
        if self._logged < LOGGED_REFUSALS:
            self._logged += 1
            self._log.warning("command refused error=%r line=%r", one_line(error)[:500], one_line(line)[:500])
        else:
            self._suppressed += 1

    def _submit(self, batch: Batch) -> None:
        self._batches.append(batch)
        if batch.size > MESSAGE_LIMIT - BATCH_OCTETS:
            self._answered(batch, f"{batch.size} octets of routes in one command, more than the bus carries")
        elif batch.changes:
            self._rib.apply(batch.targets, batch.changes, lambda reason: self._answered(batch, reason))
        else:
            self._answered(batch, "")

    def _answered(self, batch: Batch, reason: str) -> None:
        batch.answered = True
        if reason:
            self._log.error("commands were not carried out reason=%s", reason)
            total = sum(count for _, count in batch.answers)
            self.errors += total
            batch.answers = [(ERROR, total)]
        while self._batches and self._batches[0].answered:
            head = self._batches.popleft()
            for line, count in head.answers:
                self.count += count
                if self._acknowledge and not head.unheard:
                    self._output(line, count)

    def _carry_out(self, step: Single, unheard: bool) -> None:
        command: Command = step.command
        self._unheard = unheard
        match command:
            case Comment() | Flush():
                self.finish("")
            case Debug(text=text):
                self.count += 1
                self._log.info("helper says: %s", one_line(text))
            case Reset():
                self._reset(command.answer)
            case Version():
                self.say(self._version)
                self.finish("")
            case Acknowledge(mode=mode):
                if not unheard:
                    self._switch(mode)
            case _:
                self._waiting = True
                self._remote(step.line)

    def _reset(self, answer: bool) -> None:
        """Nothing waits here that could be dropped: commands are carried out in order."""
        if answer:
            self.finish("")
        else:
            self.count += 1

    def _switch(self, mode: str) -> None:
        """`enable` and `disable` are themselves answered, `silence` is not."""
        if mode == "silence":
            self._acknowledge = False
            self.count += 1
            return
        self._acknowledge = True
        self.finish("")
        self._acknowledge = mode == "enable"

    def say(self, line: str) -> None:
        """Give the helper a line of data."""
        if not self._unheard:
            self._output(f"{line}\n".encode(), 1)

    def finish(self, error: str) -> None:
        """Answer the command that was carried out elsewhere, or here."""
        self._waiting = False
        self.count += 1
        self.errors += bool(error)
        if self._acknowledge and not self._unheard:
            self._output(ERROR if error else DONE, 1)


def _for_ribd(command: Command) -> bool:
    """Whether a command only changes routes; where a watchdog is named, control has to know of it."""
    return isinstance(command, RouteChange) and all(entry.watchdog is None for entry in command.entries)
