"""Commands that act on sessions. One session that could be acted on is enough for success."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from apid.control.connection import ask_sessions
from apid.control.context import Context
from apid.control.jobs import Job, Step, saying
from apid.control.neighbors import Known, none_matches, select
from apid.grammar.command import EndOfRib, FlushAdjRibOut, OperationalMessage, RouteRefresh, Teardown
from apid.grammar.selector import Selector
from bgp.operational import Operational
from bus.names import address_of
from bus.schema import SessionReply


def verdict(neighbors: list[Known], replies: list[SessionReply | None]) -> str:
    """Return an error where nothing was done, naming each session's reason."""
    errors = []
    for known, reply in zip(neighbors, replies, strict=True):
        if reply is not None and not reply.error:
            return ""
        errors.append(f"{known.name}: {reply.error if reply is not None else 'no answer'}")
    return "; ".join(errors)


def with_sessions(context: Context, neighbors: list[Known]) -> Generator[Step, Any, list[Known]]:
    """Return neighbors, each range followed by the addresses that it has sessions with."""
    ranges = [known for known in neighbors if known.is_range]
    if not ranges:
        return neighbors
    replies = yield context.ask(ranges, "status")
    sessions = {
        known.name: [known.at(address_of(name)) for name in reply.data.get("sessions", [])]
        for known, reply in zip(ranges, replies, strict=True)
        if reply is not None
    }
    listed = (each for known in neighbors for each in (known, *sessions.get(known.name, [])))
    return list({known.name: known for known in listed}.values())


def act(context: Context, neighbors: list[Known], selector: Selector, action: str, *arguments: str) -> Job:
    """Ask the selected sessions to act."""
    selected = select(neighbors, selector)
    if not selected:
        return none_matches(neighbors)
    return verdict(selected, (yield context.ask(selected, action, *arguments)))


def end_of_rib(context: Context, neighbors: list[Known], command: EndOfRib) -> Job:
    """Send End-of-RIB."""
    afi, safi = command.family
    return act(context, neighbors, command.selector, "eor", str(afi), str(safi))


def refresh(context: Context, neighbors: list[Known], command: RouteRefresh) -> Job:
    """Ask peers for their routes again."""
    afi, safi = command.family
    return act(context, neighbors, command.selector, "refresh", str(afi), str(safi))


def flush(context: Context, neighbors: list[Known], command: FlushAdjRibOut) -> Job:
    """Send everything again."""
    return act(context, neighbors, command.selector, "resend")


def teardown(context: Context, neighbors: list[Known], command: Teardown) -> Job:
    """End sessions; without a selector nothing happens, since nobody means all of them."""
    if not command.selector.alternatives:
        return saying()
    return act(context, neighbors, command.selector, "teardown", str(command.code))


def operational(context: Context, neighbors: list[Known], command: OperationalMessage) -> Job:
    """Send an OPERATIONAL message; one without identifier carries each session's own."""
    selected = select(neighbors, command.selector)
    if not selected:
        return none_matches(neighbors)
    questions = []
    for known in selected:
        said = command.message
        message = Operational(
            said.kind,
            said.family,
            said.advisory,
            said.router_id or known.settings.router_id,
            said.sequence,
            said.counter,
        )
        questions.append((known.program, known.name, [message.message().hex()]))
    return verdict(selected, (yield ask_sessions(context.connection, "operational", questions, context.origin)))
