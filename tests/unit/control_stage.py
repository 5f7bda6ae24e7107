"""A stage for control's jobs: a loop without a clock, a context whose daemons answer what the test says."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from apid.answer_lines import AnswerLines
from apid.compile import Compiled, compile_configuration
from apid.config.load import load_text
from apid.config.options import Environment
from apid.control.enforce import remember_attempt, write_pending
from apid.control.neighbors import Directory
from apid.control.watchdogs import Watchdogs
from apid.live import Live, Wanted
from apid.load import NOTHING, Former, Loaded, LoadError, under_names
from apid.programs import write_files
from bus.daemon import RunDirectory
from bus.schema import Answer, AppliedConfiguration, CountRoutes, RouteCounts, SessionReply
from bus.transport import Delivery

CONFIGURATION = """
process p { run /bin/cat; encoder json; }
neighbor 127.0.0.12 {
    router-id 10.0.0.1; local-address 127.0.0.11; local-as 65001; peer-as 65002; hold-time 30;
    capability { route-refresh; graceful-restart 60; add-path send/receive; operational; }
    family { ipv4 unicast; ipv6 unicast; ipv4 flow; ipv4 mpls-vpn; l2vpn vpls; ipv4 mup; }
    api { processes [ p ]; receive { parsed; update; } }
    static {
        route 10.2.1.0/24 next-hop 192.0.2.9 med 50 community [ 65001:1 ];
        route 10.3.0.0/24 next-hop 192.0.2.9 watchdog dog withdraw;
    }
}
neighbor 127.0.0.13 {
    router-id 10.0.0.1; local-address 127.0.0.11; local-as 65001; peer-as 65003; family { ipv4 unicast; }
    static { route 10.2.1.0/24 next-hop 192.0.2.9; }
}
"""


def leave_pending(run: RunDirectory, value: AppliedConfiguration) -> None:
    """Leave a configuration for control to put in force."""
    remember_attempt(run)
    write_pending(run.pending, value)


def in_background(function: Callable[[], Any], expected: tuple[type[Exception], ...]) -> Any:
    """Do it at once."""

    def step(resume: Callable[[str], None]) -> None:
        try:
            function()
        except expected as error:
            resume(str(error))
        else:
            resume("")

    return step


class StillLoop:
    """A loop whose time passes only when nothing is left to do at once."""

    def __init__(self) -> None:
        self._now = 0.0
        self._soon: list[Callable[[], None]] = []
        self._later: list[tuple[float, int, Any]] = []
        self._count = 0

    def now(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._soon.append(callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        self._count += 1
        timer = SimpleNamespace(callback=callback)
        timer.cancel = lambda: setattr(timer, "callback", None)
        heapq.heappush(self._later, (self._now + delay, self._count, timer))
        return timer

    def watch(self, *_arguments: Any, **_options: Any) -> None:
        pass

    def step(self) -> None:
        """Do what is to be done at once."""
        soon, self._soon = self._soon, []
        for callback in soon:
            callback()

    def run(self, until: float = 1e9) -> None:
        """Go on until there is nothing to do, or the time is past `until`."""
        while self._soon or self._later:
            soon, self._soon = self._soon, []
            for callback in soon:
                callback()
            if not self._soon and self._later:
                when, _, timer = self._later[0]
                if when > until:
                    return
                heapq.heappop(self._later)
                if timer.callback is not None:
                    self._now = max(self._now, when)
                    timer.callback()


class Askers:
    """Those who asked: what they got, and whether they read."""

    def __init__(self) -> None:
        self.answers: dict[bytes, list[Answer]] = {}
        self.deaf: set[bytes] = set()
        self.gone: set[bytes] = set()

    def deliver(self, identity: bytes, answer: Answer) -> Delivery:
        if identity in self.gone:
            return Delivery.GONE
        if identity in self.deaf:
            return Delivery.FULL
        self.answers.setdefault(identity, []).append(answer)
        return Delivery.QUEUED

    def lines(self, identity: bytes) -> list[str]:
        whole = AnswerLines()
        return [line for answer in self.answers.get(identity, []) for line in whole.take(answer)]


def compiled(text: str = CONFIGURATION, former: Former = NOTHING) -> Compiled:
    environment = Environment()
    configuration = load_text(text, {"PATH": "/bin:/usr/bin"})
    loaded = Loaded(configuration, environment, compile_configuration(configuration, environment, "bgpbus/0"), [])
    return under_names(loaded, former).compiled


class Stage:
    """A run directory with a compiled configuration, and daemons that note what they are asked."""

    def __init__(self, path: Path, text: str = CONFIGURATION) -> None:
        self.run = RunDirectory(path)
        self.run.create()
        self.compiled = compiled(text)
        write_files(self.run, self.compiled, self.run.settings, self.run.programs)
        self.directory = Directory(self.run)
        self.directory.read(self.compiled.applied.neighbors, self.compiled.applied.programs)
        self.asked: list[tuple[str, str, list[str]]] = []
        self.replies: dict[str, Callable[[str, list[str]], SessionReply | None]] = {}
        self.applied: list[tuple[list[list[str]], list[list[Any]]]] = []
        self.cleared: list[list[str]] = []
        self.refusal = ""
        self.synced: list[tuple[list[str], float]] = []
        self.late = ""
        self.pages: list[Any] = []
        self.reload_error = ""
        self.helper_states: dict[str, dict[str, Any]] = {}
        self.was_shut_down = False
        self.in_force = SimpleNamespace(
            applied=self.compiled.applied,
            generation=self.compiled.applied.generation,
            problem="",
            moving=False,
            reading=nullcontext,
            sources=["-"],
            reload=lambda resume: resume(self.reload_error),
            amend=self._amend,
        )
        self.wanted = Wanted(self.compiled, Live())
        self.watchdogs = Watchdogs(path / "watchdogs", lambda: self.compiled.applied)
        self.changes = SimpleNamespace(
            apply=lambda targets, changes: self._change(targets, changes),
            sync=lambda names, seconds: self._sync(names, seconds),
            clear=lambda names: lambda resume: (self.cleared.append(names), resume(self.refusal)),
        )
        self.rib = SimpleNamespace(ask=lambda make, seconds, answer: answer(self._page(make(1))))
        self.helpers = SimpleNamespace(refreshed=lambda: lambda resume: resume(self.helper_states))
        self.context: Any = SimpleNamespace(
            run=self.run,
            log=logging.getLogger("test"),
            directory=self.directory,
            in_force=self.in_force,
            helpers=self.helpers,
            watchdogs=self.watchdogs,
            rib=self.rib,
            changes=self.changes,
            connection=lambda program: SimpleNamespace(ask=self._ask_session),
            ask=self._ask,
            in_background=in_background,
            shutdown=lambda: setattr(self, "was_shut_down", True),
            epoch="e",
            started=0.0,
            routes_format="v1",
            origin="",
        )

    def _amend(self, change: Callable[[Wanted], Wanted], resume: Callable[[str], None], _origin: str) -> None:
        try:
            self.wanted = change(self.wanted)
        except LoadError as error:
            resume(str(error))
        else:
            resume("")

    def _change(self, targets: list[list[str]], changes: list[list[Any]]) -> Any:
        self.applied.append((targets, changes))
        return lambda resume: resume(self.refusal)

    def _sync(self, names: list[str], seconds: float) -> Any:
        self.synced.append((names, seconds))
        return lambda resume: resume(self.late)

    def _page(self, request: Any) -> Any:
        if isinstance(request, CountRoutes):
            return RouteCounts(request.request, [5] * len(request.neighbors))
        return self.pages[request.after] if request.after < len(self.pages) else None

    def _reply(self, name: str, action: str, arguments: list[str]) -> SessionReply | None:
        self.asked.append((name, action, arguments))
        reply = self.replies.get(action)
        return SessionReply(1, name, "", {}) if reply is None else reply(name, arguments)

    def _ask_session(self, make: Any, _seconds: float, answer: Callable[[Any], None]) -> None:
        request = make(1)
        answer(self._reply(request.neighbor, request.action, request.arguments))

    def _ask(self, neighbors: list[Any], action: str, *arguments: str) -> Any:
        return lambda resume: resume([self._reply(known.name, action, list(arguments)) for known in neighbors])

    def play(self, job: Any) -> tuple[list[str], str]:
        """Carry out a job to its end; return its lines and its error."""
        lines: list[str] = []
        value: Any = None
        while True:
            try:
                step = job.send(value)
            except StopIteration as end:
                return lines, end.value
            value = None
            if isinstance(step, list):
                lines += step
                continue
            results: list[Any] = []
            step(results.append)
            (value,) = results
