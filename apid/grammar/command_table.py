"""What reads each command of `command_names`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from apid.grammar.command_kinds import (
    Acknowledge,
    ApiVersion,
    Bye,
    ClearAdjRib,
    Command,
    Crash,
    EndOfRib,
    Flush,
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
    Reset,
    Restart,
    RouteChange,
    RouteRefresh,
    ShowAdjRib,
    ShowNeighbor,
    Shutdown,
    Status,
    Sync,
    Synchronise,
    Teardown,
    Version,
    Watchdog,
)
from apid.grammar.command_names import COMMANDS, FILTERS, FORMS, ROUTE_SYNTAX, SELECTORS, SWITCHES
from apid.grammar.nlri import AFIS, SAFIS, read_family
from apid.grammar.operational import read_operational
from apid.grammar.route import STATEMENTS, read_entries
from apid.grammar.selector import Selector, Terms, peer_value, read_peers, read_selector
from apid.grammar.values import digits, number, read
from apid.grammar.words import GrammarError, Words, unknown_word
from bgp.family import IPV4_UNICAST

Read = Callable[[Words, Selector], Command]

SYNC_SECONDS, LONGEST_SYNC = 10.0, 600  # for which a `session sync` waits
KEEP = "keep"
LONGEST_COMMUNICATION = 255  # octets


def _change(announce: bool, name: str) -> Read:
    """Make the reader of what follows `announce NAME` or `withdraw NAME`."""
    statement = STATEMENTS["command"][name]

    def change(words: Words, selector: Selector) -> Command:
        return RouteChange(selector, announce, tuple(read_entries(statement, words, withdraw=not announce)))

    return change


def _watchdog(announce: bool) -> Read:
    return lambda words, selector: Watchdog(selector, announce, words.next("name") if words else None)


def _end_of_rib(words: Words, selector: Selector) -> Command:
    return EndOfRib(selector, read_family(words) if words else IPV4_UNICAST)


def _teardown(words: Words, selector: Selector) -> Command:
    return Teardown(selector, read(words, "NOTIFICATION subcode", number("subcode", 255)))


def _peer_create(words: Words, selector: Selector) -> Command:
    """Read `IP DIRECTIVE VALUE… [keep]`; which directives there are, the configuration knows."""
    peer = peer_value(words.next("IP address"))
    rest: list[str] = []
    while words:
        rest.append(words.next("directive"))
    keep = rest[-1:] == [KEEP]
    return PeerCreate(peer, tuple(rest[:-1] if keep else rest), keep)


def _peer_delete(words: Words, selector: Selector) -> Command:
    """Read the selector that follows, without another word `peer` before it."""
    return PeerDelete(Selector(tuple(read_peers(words))))


def _shutdown(words: Words, selector: Selector) -> Command:
    """Read `shutdown`, which ends the daemon, or, after a selector, `shutdown [keep] [TEXT…]`."""
    if not selector.alternatives:
        return Shutdown()
    keep = words.accept(KEEP)
    text: list[str] = []
    while words:
        text.append(words.next("text"))
    communication = " ".join(text)
    if len(communication.encode()) > LONGEST_COMMUNICATION:
        raise words.wrong(f"a shutdown communication has at most {LONGEST_COMMUNICATION} octets (RFC 9003)")
    return PeerShutdown(selector, communication, keep)


def _enable(words: Words, selector: Selector) -> Command:
    if not selector.alternatives:
        raise words.wrong("'peer SELECTOR' expected before 'enable'")
    return PeerEnable(selector)


def _show_neighbor(json: bool = False) -> Read:
    """Make the reader of `[IP] [summary|extensive|configuration] [json|text]`, in any order; `json` unless said."""

    def show(words: Words, selector: Selector) -> Command:
        form, as_json = "", json
        while words:
            if words.peek() in SELECTORS:
                selector = read_selector(words)
                continue
            token = words.token("form")
            if token.text in FORMS:
                form = token.text
            elif token.text in ("json", "text"):
                as_json = token.text == "json"
            else:
                selector = _bare_peer(token.text, words, FORMS)
        return ShowNeighbor(selector, form, as_json)

    return show


def _show_form(form: str) -> Read:
    """Make the reader of `peer IP show FORM`, which has the form in its name."""

    def show(words: Words, selector: Selector) -> Command:
        json = words.accept("json")
        words.accept("text")
        return ShowNeighbor(selector, form, json)

    return show


def _bare_peer(text: str, words: Words, known: tuple[str, ...]) -> Selector:
    """Make a selector of an address that stands alone."""
    if not ("." in text or ":" in text or text == "*"):
        raise words.wrong(unknown_word(text, {*known, "json"}, "word"))
    return Selector((Terms(peer_value(text)),))


def _show_adj_rib(direction: str, json: bool = False) -> Read:
    """Make the reader of `[IP] [inet|flow|l2vpn|AFI [SAFI]] [extensive] [json|text]`, in any order."""

    def show(words: Words, selector: Selector) -> Command:
        chosen, extensive, as_json = "", False, json
        while words:
            if words.peek() in SELECTORS:
                selector = read_selector(words)
                continue
            token = words.token("filter")
            if token.text == "extensive":
                extensive = True
            elif token.text in ("json", "text"):
                as_json = token.text == "json"
            elif token.text in AFIS and (words.peek() in SAFIS or token.text not in FILTERS):
                chosen = f"{token.text} {words.next('family')}" if words.peek() in SAFIS else token.text
            elif token.text in FILTERS:
                chosen = token.text
            else:
                selector = _bare_peer(token.text, words, (*FILTERS, "extensive"))
        return ShowAdjRib(direction, selector, chosen, extensive, as_json)

    return show


def _selected(make: Callable[[Selector], Command]) -> Read:
    """Make the reader of `[IP]`: a peer that stands behind the command, not before it."""
    return lambda words, selector: make(_bare_peer(words.next("IP"), words, ()) if words else selector)


def _ping(words: Words, selector: Selector) -> Command:
    identifier = words.next("identifier") if words else ""
    while words:
        words.next("identifier")
    return Ping(identifier)


def _api_version(words: Words, selector: Selector) -> Command:
    return ApiVersion(read(words, "version", number("version", 6, 4)) if words else None)


def _synchronise(words: Words, selector: Selector) -> Command:
    """Read `[SECONDS]`, or `enable` or `disable`."""
    if not words:
        return Sync(SYNC_SECONDS)
    if digits(words.peek()):
        return Sync(float(read(words, "seconds", number("seconds", LONGEST_SYNC, 1))))
    token = words.token("enable, disable or seconds")
    if token.text not in SWITCHES:
        raise GrammarError(unknown_word(token.text, SWITCHES, "switch"), token)
    return Synchronise(token.text == "enable")


def _fixed(command: Command) -> Read:
    """Make the reader of a command without parameters."""
    return lambda words, selector: command


def _always_json(command: Command) -> Read:
    """Make the reader of a command that answers JSON, whether `json` is said or not."""

    def always_json(words: Words, selector: Selector) -> Command:
        words.accept("json")
        return command

    return always_json


def _switchable_json(make: Callable[[bool], Command], json: bool = False) -> Read:
    """Make the reader of a command that takes `json` or `text`, and means `json` where neither is said."""

    def switchable(words: Words, selector: Selector) -> Command:
        if words.accept("text"):
            return make(False)
        return make(words.accept("json") or json)

    return switchable


VERBS = {"announce": True, "withdraw": False}
READERS: dict[str, Read] = {
    **{f"{verb} {name}": _change(announce, name) for name in ROUTE_SYNTAX for verb, announce in VERBS.items()},
    "announce watchdog": _watchdog(True),
    "withdraw watchdog": _watchdog(False),
    "announce eor": _end_of_rib,
    "announce route-refresh": lambda words, selector: RouteRefresh(selector, read_family(words)),
    "announce refresh": lambda words, selector: RouteRefresh(selector, read_family(words)),
    "announce operational": lambda words, selector: OperationalMessage(selector, read_operational(words)),
    "teardown": _teardown,
    "show neighbor": _show_neighbor(),
    "show adj-rib in": _show_adj_rib("in"),
    "show adj-rib out": _show_adj_rib("out"),
    "flush adj-rib out": _selected(FlushAdjRibOut),
    "clear adj-rib in": _selected(partial(ClearAdjRib, "in")),
    "clear adj-rib out": _selected(partial(ClearAdjRib, "out")),
    "flush": _fixed(Flush()),
    "shutdown": _shutdown,
    "enable": _enable,
    "reload": _fixed(Reload()),
    "restart": _fixed(Restart()),
    "reset": _fixed(Reset()),
    "version": _switchable_json(Version),
    "help": _switchable_json(Help),
    "status": _always_json(Status()),
    "ping": _ping,
    "bye": _fixed(Bye()),
    "crash": _fixed(Crash()),
    "enable-ack": _fixed(Acknowledge("enable")),
    "disable-ack": _fixed(Acknowledge("disable")),
    "silence-ack": _fixed(Acknowledge("silence")),
    "enable-sync": _fixed(Synchronise(True)),
    "disable-sync": _fixed(Synchronise(False)),
    "daemon shutdown": _fixed(Shutdown()),
    "daemon reload": _fixed(Reload()),
    "daemon restart": _fixed(Restart()),
    "daemon status": _always_json(Status()),
    "session ack enable": _fixed(Acknowledge("enable")),
    "session ack disable": _fixed(Acknowledge("disable")),
    "session ack silence": _fixed(Acknowledge("silence")),
    "session ack explain": _fixed(Acknowledge("explain")),
    "session sync": _synchronise,
    "session ping": _ping,
    "session bye": _fixed(Bye()),
    "session reset": _fixed(Reset(answer=True)),
    "system version": _switchable_json(Version, True),
    "system help": _switchable_json(Help, True),
    "system queue-status": _always_json(QueueStatus()),
    "queue-status": _always_json(QueueStatus()),
    "system crash": _fixed(Crash()),
    "system api version": _api_version,
    "rib show in": _show_adj_rib("in", True),
    "rib show out": _show_adj_rib("out", True),
    "rib flush out": _selected(FlushAdjRibOut),
    "rib clear in": _selected(partial(ClearAdjRib, "in")),
    "rib clear out": _selected(partial(ClearAdjRib, "out")),
    "peer list": _always_json(PeerList()),
    "peer create": _peer_create,
    "create neighbor": _peer_create,
    "peer delete": _peer_delete,
    "delete neighbor": _peer_delete,
    "peer show": _show_neighbor(True),
    **{f"show {form}": _show_form(form) for form in FORMS},
    "group start": _fixed(Group(True)),
    "group end": _fixed(Group(False)),
}
if READERS.keys() != {row.name for row in COMMANDS}:
    raise ValueError(f"commands without a reader, or the reverse: {READERS.keys() ^ {row.name for row in COMMANDS}}")
