"""The configuration in force, and the way of a new one: read, leave pending, ribd, supervisord, daemons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace

from apid.amend import restore
from apid.control.background import Background
from apid.control.enforce import Enforcer, Plan, plan, put_in_place, read_applied, read_former, read_wanted
from apid.control.leaving import Session, finish, leave
from apid.control.supervise import Unreachable, adapt
from apid.live import Wanted, read_live
from apid.load import LoadError, read_again
from apid.programs import check_directory
from bus.daemon import RunDirectory, new_epoch
from bus.loop import Loop, Timer
from bus.schema import Applied, AppliedConfiguration, Lineage, Message, Refused, SchemaError
from bus.transport import Client, Publisher

ORIGINS_KEPT = 256  # commands that changed neighbors; a bridge has one on the way at a time
RETRY = 5.0  # seconds until ribd is asked again after a refusal, and supervisord

Done = Callable[[str], None]  # gets an error, or nothing
Change = Callable[[Wanted], Wanted]  # LoadError where it cannot be made


class Asked(Struct, frozen=True):
    """A reload, or a change of what is in force, and who waits for it."""

    change: Change | None  # None: read the sources again
    done: Done
    origin: str = ""  # the command, where it may be repeated


def _amended(wanted: Wanted, asked: Asked) -> Wanted:
    """Make a change, unless it has been made before for a command that is repeated now; LoadError."""
    if asked.change is None or (asked.origin and asked.origin in wanted.live.origins):
        return wanted
    amended = asked.change(wanted)
    if not asked.origin:
        return amended
    origins = (*wanted.live.origins, asked.origin)[-ORIGINS_KEPT:]
    return replace(amended, live=replace(amended.live, origins=origins))


def _neighbors(wanted: Wanted) -> set[str]:
    return set(wanted.compiled.applied.neighbors)


class Changed(Struct, frozen=True):
    """What to do when a configuration is in force: before supervisord has adapted, and after."""

    before: Callable[[AppliedConfiguration], None]
    after: Callable[[list[str]], None]  # gets the programs that were removed
    leave: Callable[[list[Session], Callable[[], None]], None]  # ends sessions that are to begin anew, then calls back


class InForce:
    """One configuration at a time goes its way; reloads that come meanwhile are one reload after it."""

    def __init__(
        self,
        loop: Loop,
        run: RunDirectory,
        sources: list[str],
        background: Background,
        publisher: Publisher,
        log: logging.Logger,
        changed: Changed,
        on_bad: Callable[[str], None],
    ) -> None:
        self._loop, self._run, self.sources = loop, run, sources
        self._background, self._publisher, self._log, self._changed = background, publisher, log, changed
        self._on_bad = on_bad
        self._enforcer: Enforcer | None = None
        self._busy = False
        self._waiting: list[Asked] = []
        self.applied: AppliedConfiguration | None = None
        self.problem = ""  # why the last reload failed, for `status`
        self._fresh = False
        self._out_of_step = False  # whether supervisord has yet to be told which programs there are
        self._lineage = ""  # of ribd's journal; empty until ribd has told it
        self._under = ""  # the lineage of the journal that has what is in force
        self._wanting: list[Done] | None = None  # those who wait for ribd to tell it
        self._retry: Timer | None = None  # since ribd refused what is pending, or supervisord did not answer
        self.moving = False  # whether ribd is being told; `applied` is not what it has
        self._readers = 0  # commands on their way that go by `applied`
        self._standing: list[Callable[[], None]] = []  # to call once the one or the other is over
        self._ribd = Client(loop, run.ribd, self._from_ribd, self._connected, on_bad)

    @property
    def generation(self) -> str:
        """The digest of the configuration in force, empty where there is none yet."""
        return self.applied.generation if self.applied is not None else ""

    def start(self) -> None:
        """Put in force what is pending; compile the sources where nothing was ever compiled. LoadError."""
        finish(self._run)
        self.applied = read_applied(self._run.applied)
        self._fresh = self.applied is None and not self._run.pending.exists()
        if self._fresh:
            self._prepare_sources(whole=False)
        self._busy = True
        self._enforce([])

    def reload(self, done: Done) -> None:
        """Read the configuration again; a bad one changes nothing."""
        self._waiting.append(Asked(None, done))
        self._next()

    def amend(self, change: Change, done: Done, origin: str = "") -> None:
        """Change what is in force without reading the configuration again; what one `origin` wants is done once."""
        self._waiting.append(Asked(change, done, origin))
        self._next()

    def settled(self, resume: Done) -> None:
        """Call back when nothing is `moving` any more; by then something may be again."""
        self._standing.append(lambda: resume(""))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep ribd from being told of another configuration meanwhile; not while one is `moving`.

        What a command makes of `applied` must reach ribd before what takes its place, or come from that.
        """
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
            self._stand()

    def _stand(self) -> None:
        standing, self._standing = self._standing, []
        for each in standing:
            each()

    def _next(self) -> None:
        """Take what waits, up to where a reload follows changes or changes follow a reload."""
        if self._busy or not self._waiting:
            return
        self._busy = True
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        reload = self._waiting[0].change is None
        count = next((place for place, asked in enumerate(self._waiting) if (asked.change is None) != reload), None)
        taken = self._waiting[:count]
        del self._waiting[:count]
        if reload:
            waiting = [asked.done for asked in taken]
            self._background.do(
                lambda: self._prepare_sources(whole=True),
                lambda result, error: self._prepared(result, error, waiting),
                (LoadError, OSError, SchemaError),
            )
        else:
            self._background.do(
                lambda: self._prepare_changes(taken),
                lambda result, error: self._changed_in_part(taken, result, error),
                (LoadError, OSError, SchemaError),
            )

    def _prepare_sources(self, whole: bool) -> list[Session]:
        """Read the sources and leave their configuration pending; LoadError changes nothing. `whole` as for reading."""
        former = read_former(self._run)
        loaded = read_again(self.sources, former, whole)
        for warning in loaded.warnings:
            self._log.warning("%s", warning)
        wanted, problems = restore(loaded.compiled, read_live(self._run.live).kept(), former)
        for problem in problems:
            self._log.error("%s", problem)
        check_directory(self._run, wanted.compiled.programs)
        return leave(self._run, wanted)

    def _prepare_changes(self, taken: list[Asked]) -> list[str]:
        """Make each change that can be made, and leave the result pending; return an error or nothing for each.

        No session has changed by that, since none can be another than before without being deleted. The first change
        that brings a deleted neighbor back ends it: the new one must not have what ribd holds of the old one.
        """
        wanted = read_wanted(self._run)
        if wanted is None:
            raise LoadError("no configuration is in force yet")
        before = _neighbors(wanted)
        errors = []
        for asked in taken:
            try:
                amended = _amended(wanted, asked)
                check_directory(self._run, amended.compiled.programs)
            except LoadError as error:
                errors.append(str(error))
                continue
            if (_neighbors(amended) - _neighbors(wanted)) & before:
                break
            wanted = amended
            errors.append("")
        if not all(errors):
            leave(self._run, wanted)
        return errors

    def _changed_in_part(self, taken: list[Asked], errors: list[str] | None, error: Exception | None) -> None:
        """Tell those whose change cannot be made; the others wait until it is in force, or for their turn."""
        errors = errors or [str(error)] * len(taken)
        self._waiting[:0] = taken[len(errors) :]
        waiting = []
        for asked, problem in zip(taken, errors, strict=False):
            if problem:
                asked.done(problem)
            else:
                waiting.append(asked.done)
        if waiting:
            self._enforce(waiting)
        else:
            self._idle()

    def _prepared(self, changed: list[Session] | None, error: Exception | None, waiting: list[Done]) -> None:
        if error is None:
            # They end first: what only their new settings allow, or only those after it need, is not for them.
            self._changed.leave(changed or [], lambda: self._enforce(waiting))
            return
        for line in str(error).splitlines():
            self._log.error("reload refused: %s", line)
        self._publisher.publish("config", {"generation": "", "reason": str(error)})
        self._finish(str(error), waiting)

    def _finish(self, problem: str, waiting: list[Done]) -> None:
        self.problem = problem
        for done in waiting:
            done(problem)
        self._idle()

    def _idle(self) -> None:
        """Go on with what waits, else with what ribd has refused, or supervisord."""
        self._busy = False
        unannounced = self.applied is not None and self._lineage != self._under
        unfinished = self._run.pending.exists() or unannounced or self._out_of_step
        if not self._waiting and self._retry is None and unfinished:
            self._retry = self._loop.call_later(RETRY, self._try_again)
        self._next()

    def _try_again(self) -> None:
        self._retry = None
        self._busy = True
        self._enforce([])

    def _enforce(self, waiting: list[Done]) -> None:
        """Put in force what is pending, once it is known which journal ribd has."""
        self.moving = True
        if not self._lineage:
            self._wanting = waiting
            return
        lineage = self._lineage
        self._background.do(
            lambda: plan(self._run, self._fresh, lineage), lambda result, _error: self._planned(result, waiting)
        )

    def _planned(self, wanted: Plan | None, waiting: list[Done]) -> None:
        if wanted is None:
            self._moved()
            self._finish("there is no configuration", waiting)
            return
        if wanted.lineage != self._lineage:
            self._enforce(waiting)
            return
        # A ribd whose journal is another one has them wait for this, if it knows of no neighbors.
        if self._readers and wanted.lineage == self._under:
            self._standing.append(lambda: self._planned(wanted, waiting))
            return
        self._enforcer = Enforcer(
            wanted, self._ribd.send, self._log, lambda reason: self._enforced(wanted, reason, waiting)
        )
        self._wanting = waiting
        self._enforcer.start()

    def _enforced(self, wanted: Plan, reason: str, waiting: list[Done]) -> None:
        self._enforcer = self._wanting = None
        try:
            if not reason:
                put_in_place(self._run, wanted.lineage)
        except OSError as error:
            reason = f"what is in force cannot be written down: {error}"
            self._log.error("%s", reason)
        if reason:
            self._moved()
            self._changed.after([])  # the sessions that have left begin anew all the same
            self._finish(reason, waiting)
            return
        self._fresh, self._under = False, wanted.lineage
        target = self.applied = wanted.target
        self._moved()
        self._log.info("configuration in force generation=%s neighbors=%d", target.generation, len(target.neighbors))
        self._changed.before(target)
        listener = "listener" in target.programs
        self._background.do(
            lambda: adapt(self._run, listener), lambda result, error: self._adapted(result, error, waiting), Unreachable
        )

    def _moved(self) -> None:
        """Let commands go on: ribd has what is in force."""
        self.moving = False
        self._stand()

    def _adapted(
        self, result: tuple[list[str], list[str]] | None, error: Exception | None, waiting: list[Done]
    ) -> None:
        added, removed = result or ([], [])
        self._out_of_step = error is not None
        for name in added:
            self._log.info("program added name=%s", name)
        for name in removed:
            self._log.info("program removed name=%s", name)
        self._changed.after(removed)
        self._publisher.publish("config", {"generation": self.generation, "reason": ""})
        self._finish("", waiting)
        if error is not None:
            # Whoever asked is not told: what was wanted is written down, and comes to be without being asked for again.
            self.problem = f"programs are out of step, supervisord does not do what it is told: {error}"
            self._log.error("%s", self.problem)

    # ribd

    def _connected(self) -> None:
        self._ribd.send(Lineage(self._lineage))

    def _from_ribd(self, message: Message) -> None:
        match message:
            case Lineage():
                self._heard(message.lineage)
            case Applied() | Refused():
                if self._enforcer is not None:
                    self._enforcer.link.answered(message)
            case _:
                self._on_bad(f"{type(message).__name__} is not for control")

    def _heard(self, lineage: str) -> None:
        """Go on where ribd is as it was; begin anew where its journal is another one."""
        same = lineage == self._lineage
        self._lineage = lineage
        if self._enforcer is not None and same:
            self._enforcer.link.connected()
        elif self._wanting is not None:
            waiting, self._wanting, self._enforcer = self._wanting, None, None
            self._enforce(waiting)
        elif not self._busy and lineage != self._under:
            self._log.warning("ribd has another journal, the configured routes are announced again lineage=%s", lineage)
            self._busy = True
            self._enforce([])
        else:
            self._stand()  # what waits for commands looks whether they wait for it now

    def forget(self, done: Callable[[], None]) -> None:
        """Have ribd forget everything, for a clean end under somebody else's supervisord."""
        nothing = AppliedConfiguration("end", [], [], [], [], revision=new_epoch())
        self._enforcer = Enforcer(Plan(nothing, [], True), self._ribd.send, self._log, lambda _reason: done())
        self._enforcer.start()
