"""`show neighbor`: every neighbor that was asked for is listed, up or not."""

from __future__ import annotations

import json

from apid.control.connection import PEERD_SECONDS
from apid.control.context import Context
from apid.control.jobs import Job
from apid.control.neighbor_text import neighbor_lines
from apid.control.neighbors import Known, select
from apid.control.session_text import extensive_lines, summary_lines
from apid.control.session_view import SessionView
from apid.control.sessions import with_sessions
from apid.grammar.command import ShowNeighbor
from bus.names import address_of, neighbor_of
from bus.schema import CountRoutes

HINTS = [
    "please specify summary, extensive or configuration",
    "you can filter by peer ip address adding it after the word neighbor",
]


def show_neighbor(context: Context, neighbors: list[Known], command: ShowNeighbor) -> Job:
    """Show neighbors; a selector that matches nobody gives an empty table."""
    selected = select(neighbors, command.selector)
    if not command.form and not command.json:
        yield HINTS
        return ""
    if command.form == "configuration" and not command.json:
        applied = context.in_force.applied
        limits = applied.flow_limits if applied is not None else {}
        bindings = context.directory.bindings
        for known in selected:
            name = neighbor_of(known.name)
            yield neighbor_lines(known, bindings.get(name, []), limits.get(name))
        return ""
    asked = yield from with_sessions(context, selected)
    replies = yield context.ask(asked, "status")
    # An address of a range without a session is not shown.
    there = [
        (known, reply)
        for known, reply in zip(asked, replies, strict=True)
        if not address_of(known.name) or (reply is not None and not reply.error)
    ]
    names = [known.name for known, _ in there]
    counted = yield lambda resume: context.rib.ask(lambda number: CountRoutes(number, names), PEERD_SECONDS, resume)
    counts = counted.counts if counted is not None else [None] * len(there)
    views = [SessionView.of(*each, count) for each, count in zip(there, counts, strict=True)]
    if command.json:
        yield [json.dumps([view.as_json() for view in views])]
    elif command.form == "summary":
        yield summary_lines(views)
    else:
        for view in views:
            yield extensive_lines(view)
    return ""
