"""The configuration in force, and the way of a new one: read, leave pending, ribd, supervisord, daemons."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from apid.amend import restore
from apid.control.background import Background
from apid.control.enforce import Enforcer, Plan, leave, plan, put_in_place, read_applied, read_wanted
from apid.control.supervise import Unreachable, adapt
from apid.live import Wanted, placed, read_live
from apid.load import LoadError, read_configuration
from bus.daemon import RunDirectory, new_epoch
from bus.schema import Applied, AppliedConfiguration, Message, Refused, SchemaError
from bus.transport import Client, Loop, Publisher

STANDARD_INPUT = "-"
RETRY = 5.0  # seconds until ribd is asked again after a refusal

Done = Callable[[str], None]  # gets an error, or nothing
Change = Callable[[Wanted], Wanted]  # LoadError where it cannot be made


@dataclass(frozen=True, slots=True)
class Asked:
    """A reload, or a change of what is in force, and who waits for it."""

    change: Change | None  # None: read the sources again
    done: Done


@dataclass(frozen=True, slots=True)
class Changed:
    """What to do when a configuration is in force: before supervisord has adapted, and after."""

    before: Callable[[AppliedConfiguration], None]
    after: Callable[[list[str]], None]  # gets the programs that were removed


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
        self._ribd = Client(loop, run.ribd, self._from_ribd, self._connected, on_bad)

    @property
    def generation(self) -> str:
        """The digest of the configuration in force, empty where there is none yet."""
        return self.applied.generation if self.applied is not None else ""

    def start(self) -> None:
        """Put in force what is pending; compile the sources where nothing was ever compiled. LoadError."""
        self.applied = read_applied(self._run.applied)
        fresh = self.applied is None and not self._run.pending.exists()
        if fresh:
            self._prepare_reload()
        self._busy = True
        self._enforce(fresh, [])

    def reload(self, done: Done) -> None:
        """Read the configuration again; a bad one changes nothing."""
        self._waiting.append(Asked(None, done))
        self._next()

    def amend(self, change: Change, done: Done) -> None:
        """Change what is in force without reading the configuration again."""
        self._waiting.append(Asked(change, done))
        self._next()

    def _next(self) -> None:
        """Take what waits, up to where a reload follows changes or changes follow a reload."""
        if self._busy or not self._waiting:
            return
        self._busy = True
        reload = self._waiting[0].change is None
        count = next((place for place, asked in enumerate(self._waiting) if (asked.change is None) != reload), None)
        taken = self._waiting[:count]
        del self._waiting[:count]
        if reload:
            waiting = [asked.done for asked in taken]
            self._background.do(
                self._prepare_reload, lambda _result, error: self._prepared(error, waiting), (LoadError, OSError)
            )
        else:
            self._background.do(
                lambda: self._prepare_changes(taken),
                lambda result, error: self._changed_in_part(taken, result, error),
                (LoadError, OSError, SchemaError),
            )

    def _prepare_reload(self) -> None:
        """Read the sources and leave their configuration pending; LoadError changes nothing."""
        if STANDARD_INPUT in self.sources:
            raise LoadError("the configuration came from standard input, it cannot be read again")
        compiled = read_configuration(self.sources, placed=placed(self._run)).compiled
        wanted, problems = restore(compiled, read_live(self._run.live).kept())
        for problem in problems:
            self._log.error("%s", problem)
        leave(self._run, wanted)

    def _prepare_changes(self, taken: list[Asked]) -> list[str]:
        """Make each change that can be made, and leave the result pending; return an error or nothing for each."""
        wanted = read_wanted(self._run)
        if wanted is None:
            raise LoadError("no configuration is in force yet")
        errors = []
        for asked in taken:
            try:
                wanted = asked.change(wanted) if asked.change is not None else wanted
                errors.append("")
            except LoadError as error:
                errors.append(str(error))
        if not all(errors):
            leave(self._run, wanted)
        return errors

    def _changed_in_part(self, taken: list[Asked], errors: list[str] | None, error: Exception | None) -> None:
        """Tell those whose change cannot be made; the others wait until it is in force."""
        waiting = []
        for asked, problem in zip(taken, errors or [str(error)] * len(taken), strict=True):
            if problem:
                asked.done(problem)
            else:
                waiting.append(asked.done)
        if waiting:
            self._enforce(False, waiting)
        else:
            self._busy = False
            self._next()

    def _prepared(self, error: Exception | None, waiting: list[Done]) -> None:
        if error is None:
            self._enforce(False, waiting)
            return
        for line in str(error).splitlines():
            self._log.error("reload refused: %s", line)
        self._publisher.publish("config", {"generation": "", "reason": str(error)})
        self._finish(str(error), waiting)

    def _finish(self, problem: str, waiting: list[Done]) -> None:
        self.problem = problem
        for done in waiting:
            done(problem)
        self._busy = False
        self._next()

    def _enforce(self, fresh: bool, waiting: list[Done]) -> None:
        self._background.do(lambda: plan(self._run, fresh), lambda result, _error: self._planned(result, waiting))

    def _planned(self, wanted: Plan | None, waiting: list[Done]) -> None:
        if wanted is None:
            self._finish("there is no configuration", waiting)
            return
        self._enforcer = Enforcer(
            wanted, self._ribd.send, self._log, lambda reason: self._enforced(wanted, reason, waiting)
        )
        self._enforcer.start()

    def _enforced(self, wanted: Plan, reason: str, waiting: list[Done]) -> None:
        self._enforcer = None
        if reason:
            for done in waiting:
                done(reason)
            self._loop.call_later(RETRY, lambda: self._enforce(wanted.fresh, []))
            return
        put_in_place(self._run)
        target = self.applied = wanted.target
        self._log.info("configuration in force generation=%s neighbors=%d", target.generation, len(target.neighbors))
        self._changed.before(target)
        listener = "listener" in target.programs
        self._background.do(
            lambda: adapt(self._run, listener), lambda result, error: self._adapted(result, error, waiting), Unreachable
        )

    def _adapted(
        self, result: tuple[list[str], list[str]] | None, error: Exception | None, waiting: list[Done]
    ) -> None:
        added, removed = result or ([], [])
        if error is not None:
            self._log.error("supervisord does not answer, programs may be out of step: %s", error)
        for name in added:
            self._log.info("program added name=%s", name)
        for name in removed:
            self._log.info("program removed name=%s", name)
        self._changed.after(removed)
        self._publisher.publish("config", {"generation": self.generation, "reason": ""})
        self._finish("", waiting)

    # ribd

    def _connected(self) -> None:
        if self._enforcer is not None:
            self._enforcer.link.connected()

    def _from_ribd(self, message: Message) -> None:
        if not isinstance(message, Applied | Refused):
            self._on_bad(f"{type(message).__name__} is not for control")
        elif self._enforcer is not None:
            self._enforcer.link.answered(message)

    def forget(self, done: Callable[[], None]) -> None:
        """Have ribd forget everything, for a clean end under somebody else's supervisord."""
        nothing = AppliedConfiguration("end", [], [], [], [], revision=new_epoch())
        self._enforcer = Enforcer(Plan(nothing, [], True), self._ribd.send, self._log, lambda _reason: done())
        self._enforcer.start()
