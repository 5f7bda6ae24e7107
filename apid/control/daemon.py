"""Commands about the daemon itself: reload, restart, shutdown, status, help."""

from __future__ import annotations

import json
import os
import time
from functools import partial

from apid import VERSION, __version__
from apid.control.changes_ahead import Row, changes_ahead
from apid.control.context import Context
from apid.control.jobs import Job
from apid.control.neighbors import Known
from apid.control.session_view import SHUT
from apid.control.sessions import with_sessions
from apid.control.supervise import Unreachable, restart
from apid.grammar.command import COMMANDS, Help, Ping, Version
from apid.load import LoadError
from bgp.notification import PEER_DECONFIGURED
from bus.schema import SchemaError, SessionReply

ROWS_IN_ONE_TURN = 1000
UNKNOWN = "UNKNOWN"  # the state of a session whose peerd does not answer


def reload(context: Context) -> Job:
    """Read the configuration again."""
    yield ["reload in progress"]
    return str((yield context.in_force.reload))


def reload_helpers(context: Context) -> Job:
    """Read the configuration again, and restart all helpers."""
    yield ["reload in progress"]
    if error := (yield context.in_force.reload):
        return str(error)
    return (yield from _restart_helpers(context))


def restart_all(context: Context) -> Job:
    """Read the configuration again, establish every session again, restart all helpers."""
    yield ["restart in progress"]
    if error := (yield context.in_force.reload):
        return str(error)
    yield context.ask(list(context.directory.neighbors.values()), "teardown", str(PEER_DECONFIGURED))
    return (yield from _restart_helpers(context))


def _restart_helpers(context: Context) -> Job:
    helpers = context.directory.helpers
    if not helpers:
        return ""
    error = yield context.in_background(partial(restart, context.run, helpers), Unreachable)
    return f"helpers could not be restarted: {error}" if error else ""


def diff(context: Context, request: str) -> Job:
    """Tell what a reload would change, a row on each line; `request` names files and whether to count routes."""
    try:
        wanted = json.loads(request)
        files, summary = [str(file) for file in wanted["files"]], bool(wanted["summary"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:  # the last: nested too deeply
        return f"diff: not a request: {error}"
    rows: list[Row] = []

    def compare() -> None:
        rows.extend(changes_ahead(context.run, files or context.in_force.sources, summary))

    problem = yield context.in_background(compare, (LoadError, OSError, SchemaError))
    for start in range(0, len(rows), ROWS_IN_ONE_TURN):
        yield [json.dumps(row) for row in rows[start : start + ROWS_IN_ONE_TURN]]
    return str(problem)


def shutdown(context: Context) -> Job:
    """End everything, after the answer has left."""
    yield ["shutdown in progress"]
    context.shutdown()
    return ""


def version(command: Version) -> Job:
    """Tell the version."""
    if command.json:
        yield [json.dumps({"version": __version__, "application": "bgpbus"})]
    else:
        yield [VERSION]
    return ""


def ping(context: Context, command: Ping) -> Job:
    """Answer."""
    yield [json.dumps({"pong": context.epoch, "active": True})]
    return ""


def show_help(command: Help) -> Job:
    """List the commands."""
    rows = sorted(COMMANDS, key=lambda row: (not row.selectable, row.name))
    if command.json:
        yield [json.dumps([{"command": row.name, "syntax": row.syntax, "help": row.help} for row in rows])]
        return ""
    lines = [
        "",
        "available API commands are listed here:",
        "=======================================",
        "",
        "filter can be: [local-ip <ip>][local-as <asn>][peer-as <asn>][router-id <router-id>]",
        "",
        "command are:",
        "------------",
        "",
    ]
    for row in rows:
        prefix = "[neighbor <ip> [filters]] " if row.selectable else ""
        lines.append(f"{prefix}{row.name} {row.syntax}".rstrip())
    yield [*lines, ""]
    return ""


def status(context: Context) -> Job:
    """Tell how the daemon and its sessions are."""
    listed = yield from with_sessions(context, list(context.directory.neighbors.values()))
    neighbors = [known for known in listed if not known.is_range]
    replies = yield context.ask(neighbors, "status")
    peers = {known.name: _state(known, reply) for known, reply in zip(neighbors, replies, strict=True)}
    applied = context.in_force.applied
    yield [
        json.dumps(
            {
                "version": __version__,
                "uuid": context.epoch,
                "pid": os.getpid(),
                "uptime": int(time.time() - context.started),
                "start_time": context.started,
                "run-directory": str(context.run.path),
                "configuration": {
                    "generation": context.in_force.generation,
                    "sources": applied.sources if applied is not None else [],
                    "problem": context.in_force.problem,
                },
                "peers": peers,
            }
        )
    ]
    return ""


def _state(known: Known, reply: SessionReply | None) -> str:
    if known.configuration.shut is not None:
        return SHUT
    return str(reply.data["fsm"]) if reply is not None and not reply.error else UNKNOWN


def peer_list(context: Context, neighbors: list[Known]) -> Job:
    """List neighbors with AS and state."""
    neighbors = yield from with_sessions(context, neighbors)
    replies = yield context.ask(neighbors, "status")
    rows = [
        {
            "peer-address": known.address,
            "peer-as": known.settings.peer_as,
            "state": _state(known, reply),
        }
        for known, reply in zip(neighbors, replies, strict=True)
    ]
    yield [json.dumps(rows)]
    return ""


def queue_status(context: Context) -> Job:
    """Tell how much waits for each helper."""
    states = yield context.helpers.refreshed()
    rows = {
        name: {"items": state.get("answers", 0), "bytes": state.get("memory", 0) + state.get("spool", 0)}
        for name, state in states.items()
    }
    yield [json.dumps(rows)]
    return ""


def helpers(context: Context) -> Job:
    """Tell all about the helpers; one whose bridge is away has an empty state."""
    states = yield context.helpers.refreshed()
    yield [json.dumps({name: states.get(name, {}) for name in context.directory.helper_names})]
    return ""
