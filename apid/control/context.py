"""What commands work with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from apid.control.background import Background
from apid.control.connection import Connection, ask_sessions
from apid.control.helpers import Helpers
from apid.control.in_force import InForce
from apid.control.jobs import Step
from apid.control.neighbors import Directory, Known
from apid.control.rib import RibChanges
from apid.control.watchdogs import Watchdogs
from bus.daemon import RunDirectory


class Context(Struct, frozen=True):
    """The parts of control, for the jobs that carry out commands.

    connection: to a peerd, by program. rib: for questions to ribd. shutdown: ends everything. started: seconds since
    1970. routes_format: `exabgp.api.show-routes-format`. origin: which command is carried out, where it may be repeated
    after our death: what it has had done already is not done again.
    """

    run: RunDirectory
    log: logging.Logger
    directory: Directory
    in_force: InForce
    helpers: Helpers
    watchdogs: Watchdogs
    background: Background
    rib: Connection
    changes: RibChanges
    connection: Callable[[str], Connection]
    shutdown: Callable[[], None]
    epoch: str
    started: float
    routes_format: str
    origin: str = ""

    def ask(self, neighbors: list[Known], action: str, *arguments: str) -> Step:
        """Make the step that asks the same of several sessions; see `ask_sessions`."""
        questions = [(known.program, known.name, list(arguments)) for known in neighbors]
        return ask_sessions(self.connection, action, questions, self.origin)

    def in_background(self, function: Callable[[], Any], expected: tuple[type[Exception], ...]) -> Step:
        """Make the step that does something slow; its result is an expected error's text, or nothing."""
        return lambda resume: self.background.do(
            function, lambda _result, error: resume(str(error) if error is not None else ""), expected
        )
