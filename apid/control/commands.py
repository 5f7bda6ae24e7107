"""Which job carries out which command."""

from __future__ import annotations

import json

from apid.control import changes, daemon, live_neighbors, sessions
from apid.control.context import Context
from apid.control.jobs import Job, failing, saying
from apid.control.neighbors import Known
from apid.control.show_neighbor import show_neighbor
from apid.control.show_routes import show_adj_rib
from apid.grammar.command import (
    ApiVersion,
    Batch,
    ClearAdjRib,
    Command,
    Crash,
    Debug,
    EndOfRib,
    FlushAdjRibOut,
    Group,
    Help,
    OperationalMessage,
    PeerCreate,
    PeerDelete,
    PeerEnable,
    PeerList,
    PeerShutdown,
    Ping,
    QueueStatus,
    Reload,
    Restart,
    RouteChange,
    RouteRefresh,
    ShowAdjRib,
    ShowNeighbor,
    Shutdown,
    Status,
    Sync,
    Teardown,
    Version,
    Watchdog,
    parse_command,
)
from apid.grammar.words import GrammarError
from bus.daemon import one_line

NO_GROUP = "each command comes by itself here: a group is one line, 'peer * group COMMAND ; COMMAND …'"
API_VERSION = 4  # ours answers as releases 4 and 5 do

# What only our own programs say; no command of a helper.
OWN = {"reload helpers": daemon.reload_helpers, "helpers": daemon.helpers}


def carry_out(context: Context, client: str, line: str) -> Job:
    """Return the job of a command line; `client` is a helper, or empty for whoever may command all neighbors."""
    first, _, rest = line.strip().partition(" ")
    if first == "diff" and not client:
        return daemon.diff(context, rest)
    own = OWN.get(line.strip())
    if own is not None and not client:
        return own(context)
    try:
        command = parse_command(line)
    except GrammarError as error:
        return failing(str(error))
    neighbors = context.directory.allowed(client)
    if neighbors is None:
        return failing(f"the helper '{client}' is not configured")
    return _about_routes(context, neighbors, command, client)


def _about_routes(context: Context, neighbors: list[Known], command: Command, client: str) -> Job:
    match command:
        case RouteChange():
            return changes.change_routes(context, neighbors, (command,))
        case Batch():
            return changes.change_batch(context, neighbors, command)
        case Watchdog():
            return changes.watchdog(context, neighbors, command, client)
        case Sync():
            return changes.synchronise(context, neighbors, command)
        case ClearAdjRib():
            return changes.clear(context, neighbors, command)
        case ShowAdjRib():
            return show_adj_rib(context, neighbors, command)
        case PeerCreate():
            return live_neighbors.create(context, command, client)
        case PeerDelete():
            return live_neighbors.delete(context, neighbors, command)
        case PeerShutdown():
            return live_neighbors.shut(context, neighbors, command)
        case PeerEnable():
            return live_neighbors.enable(context, neighbors, command)
        case _:
            return _about_sessions(context, neighbors, command)


def _about_sessions(context: Context, neighbors: list[Known], command: Command) -> Job:
    match command:
        case ShowNeighbor():
            return show_neighbor(context, neighbors, command)
        case EndOfRib():
            return sessions.end_of_rib(context, neighbors, command)
        case RouteRefresh():
            return sessions.refresh(context, neighbors, command)
        case OperationalMessage():
            return sessions.operational(context, neighbors, command)
        case Teardown():
            return sessions.teardown(context, neighbors, command)
        case FlushAdjRibOut():
            return sessions.flush(context, neighbors, command)
        case PeerList():
            return daemon.peer_list(context, neighbors)
        case _:
            return _about_daemon(context, command)


def _about_daemon(context: Context, command: Command) -> Job:
    match command:
        case Reload():
            return daemon.reload(context)
        case Restart():
            return daemon.restart_all(context)
        case Shutdown():
            return daemon.shutdown(context)
        case Version():
            return daemon.version(command)
        case Help():
            return daemon.show_help(command)
        case Status():
            return daemon.status(context)
        case QueueStatus():
            return daemon.queue_status(context)
        case Ping():
            return daemon.ping(context, command)
        case ApiVersion(version=None):
            return saying(json.dumps({"version": API_VERSION}))
        case ApiVersion(version=version) if version != API_VERSION:
            return failing(f"version {version} of the API is not served, only {API_VERSION}")
        case Crash():
            return failing("failed on purpose")
        case Group():
            return failing(NO_GROUP)
        case Debug(text=text):
            context.log.info("debug: %s", one_line(text))
            return saying()
        case _:
            # Comments, acknowledgement switches and the like concern the way of the commands, not us.
            return saying()
