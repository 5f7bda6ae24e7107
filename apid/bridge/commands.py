"""A helper's commands: read as fast as ribd takes them, carried out in order, answered in order.

Route changes of one read become one batch for ribd; their answers wait for its acknowledgement, and, where that was
asked for, until the peers were sent them. What stands in a group is answered as it is read, and becomes one batch at
its end. Anything else is carried out when everything before it has been answered.

ribd may refuse FlowSpec rules because a neighbor has enough of them. Batches that it may refuse travel alone, and one
that it does refuse is tried again command by command, so that as many are carried out as there is room for.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from apid.bridge.batch import BATCH_OCTETS, DONE, ERROR, Batch, OpenGroup
from apid.bridge.targets import Targets
from apid.grammar.command_kinds import (
    Acknowledge,
    Command,
    Comment,
    Debug,
    Flush,
    Group,
    Reset,
    RouteChange,
    Sync,
    Synchronise,
    Version,
)
from apid.grammar.command_table import SYNC_SECONDS
from apid.grammar.fast import CommandReader, Invalid, Routes, Single
from apid.grammar.secret import without_secrets
from apid.grammar.words import GrammarError
from apid.riblink import MOST_OCTETS, RibLink
from bgp.family import FLOW_SAFIS
from bus.daemon import one_line

LINE_LIMIT = 1024 * 1024  # octets of one command
LOGGED_REFUSALS = 10  # a second; more are counted

Step = Routes | Single | Invalid


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
        self._explain = self._sync = False
        self._steps: deque[Step] = deque()
        self._orphans = 0  # steps at the front whose helper is gone
        self._pieces = 0  # steps at the front that were refused together: each is a batch of its own now
        self._group: OpenGroup | None = None
        self._batches: deque[Batch] = deque()
        self._waiting = False  # for the answer of control
        self._held = False  # for the sessions to be sent their first routes
        self._unheard = False  # the helper whose command is being carried out is gone
        self._now = 0.0  # when there last was something to do
        self._logged, self._logged_at, self._suppressed = 0, 0.0, 0
        self.count = self.errors = 0

    def reset(self) -> None:
        """Forget what belonged to a helper that is gone.

        Its complete commands are still carried out, but the next helper must not read their answers.
        """
        self._rest = b""
        self._skipping = False
        self._acknowledge = self._acknowledge_at_start
        self._explain = self._sync = False
        self._orphans = len(self._steps)
        self._unheard = True
        if self._group is not None:
            self._group.unheard = True
        for batch in self._batches:
            batch.unheard = True

    def configure(self, acknowledge: bool) -> None:
        """Take the setting for helpers that start from now on."""
        self._acknowledge_at_start = acknowledge

    @property
    def busy(self) -> bool:
        """Whether the helper must wait before it is read again."""
        return bool(self._steps) or self._waiting or self._held or self._rib.full

    def hold(self, held: bool) -> None:
        """Carry out nothing from now on, or go on at the next `work`."""
        self._held = held

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
        self._now = now
        batch: Batch | None = None
        while self._steps and not (self._waiting or self._held):
            step, unheard = self._steps[0], self._orphans > 0
            if self._group is not None and self._group.unheard != unheard:
                self._log.warning("group given up, its helper is gone commands=%d", self._group.commands)
                self._group = None
            alone = self._is_alone(step)
            if batch is not None and (alone or not self._joins(batch, step, unheard)):
                self._submit(batch)
                batch = None
            if batch is None:
                batch = Batch(unheard, self._waits(step), self._is_careful(step))
                if self._batches if alone or batch.careful else self._rib.full or self._batches_careful:
                    return
            self._steps.popleft()
            self._orphans -= unheard
            self._pieces -= self._pieces > 0
            if isinstance(step, Single) and alone:
                batch = None
                self._carry_out(step, unheard)
            else:
                batch = self._collect(batch, step)
                if batch is not None:
                    self._collect_routes(batch)
        if batch is not None:
            self._submit(batch)

    def _collect_routes(self, batch: Batch) -> None:
        """Add the routes at the front that can only join a batch: nearly all that there is, where there is much."""
        if batch.unheard or batch.wait != self._sync or self._targets.any_limited or self._pieces:
            return
        steps = self._steps
        while steps and isinstance(step := steps[0], Routes) and batch.size < BATCH_OCTETS:
            steps.popleft()
            self._collect(batch, step)

    def _is_alone(self, step: Step) -> bool:
        """Whether a step is carried out when everything before it has been answered."""
        if not isinstance(step, Single) or isinstance(step.command, Group) or _for_ribd(step.command):
            return False
        return self._group is None or isinstance(step.command, Comment | Debug | Acknowledge)

    def _waits(self, step: Step) -> bool:
        """Whether the answer waits until the peers were sent the routes."""
        if isinstance(step, Single) and isinstance(step.command, RouteChange) and step.command.wait is not None:
            return step.command.wait
        return self._sync

    def _is_careful(self, step: Step) -> bool:
        """Whether ribd may refuse a step because a neighbor would have too many rules."""
        if self._group is not None or not self._targets.any_limited:
            return False
        if isinstance(step, Routes):
            names, _ = self._targets.find_text(step.selector_text, step.family, step.attributes)
            return step.announce and step.family.safi in FLOW_SAFIS and self._targets.limited(names)
        if not isinstance(step, Single) or not isinstance(step.command, RouteChange) or not step.command.announce:
            return False
        change = step.command
        return any(
            entry.family.safi in FLOW_SAFIS
            and self._targets.limited(self._targets.find(change.selector, entry.family, entry.attributes)[0])
            for entry in change.entries
        )

    @property
    def _batches_careful(self) -> bool:
        return bool(self._batches) and self._batches[-1].careful

    def _joins(self, batch: Batch, step: Step, unheard: bool) -> bool:
        """Whether a step may be in the same request as those before it."""
        return (
            batch.unheard == unheard
            and batch.size < BATCH_OCTETS
            and batch.wait == self._waits(step)
            and batch.careful == self._is_careful(step)
            and not (self._pieces and batch.careful)
            and not batch.report
        )

    def _collect(self, batch: Batch, step: Step) -> Batch | None:
        """Add a step to a batch; return the batch unless it was submitted."""
        if isinstance(step, Invalid):
            self._refuse(batch, step.line, str(step.error), 1)
        elif isinstance(step, Single) and isinstance(step.command, Group):
            return self._open(batch, step.line) if step.command.begin else self._close(batch, step.line)
        elif self._group is not None:
            self._collect_in_group(self._group, batch, step)
        elif error := self._add(batch, step):
            self._refuse(batch, _text(step), error, _lines(step))
        else:
            batch.answer(DONE, _lines(step))
            if batch.careful:
                batch.steps.append(step)
        return batch

    def _add(self, batch: Batch, step: Routes | Single) -> str:
        """Add all routes of a step to a batch; or none, and return why."""
        if isinstance(step, Routes):
            names, error = self._targets.find_text(step.selector_text, step.family, step.attributes)
            if not error:
                batch.add(names, step.announce, step.family, step.attributes, step.items, step.lease)
            return error
        change = step.command
        if not isinstance(change, RouteChange):
            return "only changes of routes can be in a group"
        for entry in change.entries:
            _, error = self._targets.find(change.selector, entry.family, entry.attributes)
            if error:
                return error
        for entry in change.entries:
            names, _ = self._targets.find(change.selector, entry.family, entry.attributes)
            batch.add(names, change.announce, entry.family, entry.attributes, list(entry.items), entry.lease)
        return ""

    # Groups

    def _open(self, batch: Batch, line: str) -> Batch:
        if self._group is not None:
            self._refuse(batch, line, "a group is open already", 1)
        else:
            self._group = OpenGroup(unheard=batch.unheard)
            batch.answer(DONE)
        return batch

    def _close(self, batch: Batch, line: str) -> Batch | None:
        """Have the whole group carried out by one request, after the answers to its commands."""
        group, self._group = self._group, None
        if group is None or group.fault:
            reason = "no group was begun" if group is None else f"nothing of the group was done: {group.fault}"
            self._refuse(batch, line, reason, 1)
            return batch
        self._submit(batch)
        whole = group.batch
        whole.unheard, whole.wait, whole.report = batch.unheard, self._sync, group.report
        whole.careful = self._targets.any_limited
        whole.answer(DONE)
        self._submit(whole)
        return None

    def _collect_in_group(self, group: OpenGroup, batch: Batch, step: Routes | Single) -> None:
        """Add a step to the group, and its answer to the batch."""
        error = self._add(group.batch, step) if _changes_routes(step) else f"'{_text(step)}' cannot be in a group"
        error = error or group.count(*_size(step), _lines(step))
        if group.fault:
            group.batch = Batch()
        if error:
            self._refuse(batch, _text(step), error, _lines(step))
        else:
            batch.answer(DONE, _lines(step))

    # Answers

    def _refuse(self, batch: Batch, line: str, error: str, lines: int) -> None:
        if self._group is not None:
            self._group.fail(error)
        batch.answer(self._error(error), lines)
        self.errors += lines
        self.refused(line, error, self._now)

    def _error(self, reason: str) -> bytes:
        """Return the answer to a command that failed, preceded by the reason if the helper asked for that."""
        return b"error: %s\nerror\n" % one_line(reason).encode() if self._explain else ERROR

    def refused(self, line: str, error: str, now: float) -> None:
        """Log why a command was refused, a bounded number of times a second."""
        if now - self._logged_at >= 1.0:
            if self._suppressed:
                self._log.warning("commands refused, not logged one by one: count=%d", self._suppressed)
            self._logged, self._logged_at, self._suppressed = 0, now, 0
        if self._logged < LOGGED_REFUSALS:
            self._logged += 1
            shown = one_line(without_secrets(line[:500]))
            self._log.warning("command refused error=%r line=%r", one_line(error)[:500], shown)
        else:
            self._suppressed += 1

    def _submit(self, batch: Batch) -> None:
        self._batches.append(batch)
        if batch.size > MOST_OCTETS:
            self._answered(batch, f"{batch.size} octets of routes in one command, more than the bus carries")
        elif batch.changes:
            self._rib.apply(batch.targets, batch.changes, partial(self._applied, batch), after_configuration=True)
        else:
            self._answered(batch, "")

    def _applied(self, batch: Batch, reason: str) -> None:
        if batch.careful and reason and sum(map(_lines, batch.steps)) > 1:
            self._apart(batch)
        elif batch.wait and not reason:
            self._rib.sync(batch.names, SYNC_SECONDS, partial(self._written, batch))
        else:
            self._answered(batch, reason)

    def _apart(self, batch: Batch) -> None:
        """Try the commands of a batch one by one, before all that came after it."""
        self._batches.remove(batch)
        pieces: list[Step] = []
        for step in batch.steps:
            pieces += [replace(step, items=[item]) for item in step.items] if isinstance(step, Routes) else [step]
        self._steps.extendleft(reversed(pieces))
        self._pieces = len(pieces)
        self._orphans += len(pieces) if batch.unheard else 0

    def _written(self, batch: Batch, reason: str) -> None:
        self._answered(batch, f"carried out, but {reason}" if reason else "")

    def _answered(self, batch: Batch, reason: str) -> None:
        batch.answered = True
        if reason:
            total = sum(count for _, count in batch.answers)
            self.refused(f"{total} commands", reason, self._now)
            self.errors += total
            batch.answers, batch.report = [(self._error(reason), total)], b""
        while self._batches and self._batches[0].answered:
            head = self._batches.popleft()
            if head.report and not head.unheard:
                self._output(head.report, 1)
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
            case Version(json=False):
                self.say(self._version)
                self.finish("")
            case Acknowledge(mode=mode):
                if not unheard:
                    self._switch(mode)
            case Synchronise(enabled=enabled):
                self._sync = enabled and not unheard
                self.finish("")
            case Sync(seconds=seconds):
                self._waiting = True
                self._rib.sync(self._targets.names, seconds, partial(self._synchronised, step.line))
            case _:
                self._waiting = True
                self._remote(step.line)

    def _synchronised(self, line: str, reason: str) -> None:
        if reason:
            self.refused(line, reason, self._now)
        self.finish(reason)

    def _reset(self, answer: bool) -> None:
        """Nothing waits here that could be dropped: commands are carried out in order."""
        if answer:
            self.finish("")
        else:
            self.count += 1

    def _switch(self, mode: str) -> None:
        """Change the mode; all but `silence` are answered."""
        self._explain = mode == "explain"
        if mode == "silence":
            self._acknowledge = False
            self.count += 1
            return
        self._acknowledge = True
        self.finish("")
        self._acknowledge = mode != "disable"

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
            self._output(self._error(error) if error else DONE, 1)


def _for_ribd(command: Command) -> bool:
    """Whether a command only changes routes; where a watchdog is named, control has to know of it."""
    return isinstance(command, RouteChange) and all(entry.watchdog is None for entry in command.entries)


def _changes_routes(step: Routes | Single) -> bool:
    return isinstance(step, Routes) or _for_ribd(step.command)


def _lines(step: Routes | Single) -> int:
    """Return how many lines a step answers for."""
    return step.lines if isinstance(step, Routes) else 1


def _size(step: Routes | Single) -> tuple[bool, int]:
    """Return whether a step announces, and how many routes."""
    if isinstance(step, Routes):
        return step.announce, len(step.items)
    change = step.command
    if not isinstance(change, RouteChange):
        return False, 0
    return change.announce, sum(len(entry.items) for entry in change.entries)


def _text(step: Routes | Single) -> str:
    """Return what the log calls a step."""
    return step.line if isinstance(step, Single) else f"{step.lines} × announce/withdraw route"
