"""The commands: how each is written, what it is for, and what reads it.

`help` and the manual are made from `COMMANDS`. A row's `name` is the words that it begins with; the longest
name that a line begins with decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from apid.grammar.nlri import AFIS, SAFIS, read_family
from apid.grammar.operational import read_operational
from apid.grammar.route import STATEMENTS, read_entries
from apid.grammar.selector import Selector, Terms, peer_value, read_peers, read_selector
from apid.grammar.values import digits, number, read
from apid.grammar.words import GrammarError, Words, unknown_word
from bgp.family import IPV4_UNICAST

Read = Callable[[Words, Selector], Command]

SYNC_SECONDS, LONGEST_SYNC = 10.0, 600  # for which a `session sync` waits
FORMS = ("summary", "extensive", "configuration")
FILTERS = ("inet", "flow", "l2vpn")
RIB_SHOW = "[IP] [FAMILY] [extensive] [text]"
PEER_SHOW = "[IP] [summary|extensive|configuration] [text]"
KEEP = "keep"
LONGEST_COMMUNICATION = 255  # octets
PEER_CREATE = (
    "IP local-address IP local-as N peer-as N [router-id IP] [family-allowed F] [DIRECTIVE VALUE…] [api P]… [keep]"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One command. `selectable` tells whether `neighbor …` may stand before it."""

    name: str
    syntax: str
    help: str
    read: Read
    selectable: bool = False


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
            if words.peek() in ("neighbor", "peer"):
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
            if words.peek() in ("neighbor", "peer"):
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
    if token.text not in ("enable", "disable"):
        raise GrammarError(unknown_word(token.text, ("enable", "disable"), "switch"), token)
    return Synchronise(token.text == "enable")


def _fixed(command: Command) -> Read:
    """Make the reader of a command without parameters."""
    return lambda words, selector: command


def _switchable_json(make: Callable[[bool], Command], json: bool = False) -> Read:
    """Make the reader of a command that takes `json` or `text`, and means `json` where neither is said."""

    def switchable(words: Words, selector: Selector) -> Command:
        if words.accept("text"):
            return make(False)
        return make(words.accept("json") or json)

    return switchable


ROUTE_SYNTAX = {
    "route": ("PREFIX next-hop IP|self ATTRIBUTE…", "a route: unicast, multicast, labelled or VPN"),
    "attributes": ("ATTRIBUTE… nlri PREFIX…", "many prefixes with the same attributes"),
    "attribute": ("ATTRIBUTE… nlri PREFIX…", "the same as attributes"),
    "flow": ("route { match { … } then { … } } | route MATCH… ACTION…", "a FlowSpec rule"),
    "flowspec": ("route { match { … } then { … } }", "the same as flow"),
    "ipv4": ("unicast|multicast|nlri-mpls|mpls-vpn|flow|flow-vpn|mcast-vpn|mup|sr-policy|rtc …", "by family"),
    "ipv6": ("unicast|multicast|nlri-mpls|mpls-vpn|flow|flow-vpn|mcast-vpn|mup|sr-policy …", "by family"),
    "l2vpn": ("vpls|evpn …", "by family"),
    "vpnv4": ("PREFIX next-hop IP rd R [label L] ATTRIBUTE…", "an IPv4 VPN route"),
    "vpnv6": ("PREFIX next-hop IP rd R [label L] ATTRIBUTE…", "an IPv6 VPN route"),
    "vpls": (
        "rd R endpoint N base N offset N size N next-hop IP … | ENDPOINT OFFSET SIZE rd R …",
        "a VPLS route",
    ),
    "evpn": (
        "macadvertisement MAC [IP] TAG|multicast IP|ethernet-ad ESI TAG|ethernet-segment ESI IP|prefix P rd R …",
        "an EVPN route",
    ),
    "rtc": ("default | ASN [target:A:B]", "membership in a route target"),
    "bgp-ls": ("raw 0x…", "a link-state NLRI as on the wire"),
    "raw": ("AFI SAFI 0x… ATTRIBUTE…", "any NLRI as on the wire"),
}


def _route_rows(announce: bool) -> tuple[Row, ...]:
    verb = "announce" if announce else "withdraw"
    return tuple(
        Row(f"{verb} {name}", syntax, f"{verb} {text}", _change(announce, name), selectable=True)
        for name, (syntax, text) in ROUTE_SYNTAX.items()
    )


COMMANDS: tuple[Row, ...] = (
    *_route_rows(announce=True),
    *_route_rows(announce=False),
    Row("announce watchdog", "[NAME]", "announce the routes of a watchdog", _watchdog(True), True),
    Row("withdraw watchdog", "[NAME]", "withdraw the routes of a watchdog", _watchdog(False), True),
    Row("announce eor", "[AFI SAFI]", "send End-of-RIB; without family that of ipv4 unicast", _end_of_rib, True),
    Row(
        "announce route-refresh",
        "AFI SAFI",
        "ask the peer for its routes again",
        lambda words, selector: RouteRefresh(selector, read_family(words)),
        True,
    ),
    Row(
        "announce refresh",
        "AFI SAFI",
        "the same as announce route-refresh",
        lambda words, selector: RouteRefresh(selector, read_family(words)),
        True,
    ),
    Row(
        "announce operational",
        "asm|adm|rpcq|rpcp|apcq|apcp|lpcq|lpcp afi AFI safi SAFI …",
        "send an operational message",
        lambda words, selector: OperationalMessage(selector, read_operational(words)),
        True,
    ),
    Row("teardown", "SUBCODE", "end the session with Cease and this subcode (0..255); it comes back", _teardown, True),
    Row("show neighbor", "[IP] summary|extensive|configuration [json]", "show neighbors", _show_neighbor(), True),
    Row(
        "show adj-rib in",
        "[IP] [inet|flow|l2vpn|AFI SAFI] [extensive] [json]",
        "show received routes",
        _show_adj_rib("in"),
        True,
    ),
    Row(
        "show adj-rib out",
        "[IP] [inet|flow|l2vpn|AFI SAFI] [extensive] [json]",
        "show announced routes",
        _show_adj_rib("out"),
        True,
    ),
    Row("flush adj-rib out", "[IP]", "send all routes again", _selected(FlushAdjRibOut), True),
    Row("clear adj-rib in", "[IP]", "forget received routes", _selected(partial(ClearAdjRib, "in")), True),
    Row("clear adj-rib out", "[IP]", "withdraw all routes", _selected(partial(ClearAdjRib, "out")), True),
    Row("flush", "", "nothing: routes leave without it", _fixed(Flush())),
    Row(
        "shutdown",
        "[keep] [TEXT]",
        "end the daemon; after a selector: end sessions, tell the peers TEXT, and keep them closed",
        _shutdown,
        True,
    ),
    Row("enable", "", "after a selector: open neighbors that were shut", _enable, True),
    Row("reload", "", "read the configuration again; sessions that it does not change stay up", _fixed(Reload())),
    Row("restart", "", "restart sessions and helpers", _fixed(Restart())),
    Row("reset", "", "forget what is under way, without an answer", _fixed(Reset())),
    Row("version", "[json]", "tell the version", _switchable_json(Version)),
    Row("help", "[json]", "list the commands", _switchable_json(Help)),
    Row("status", "", "tell how the daemon and its sessions are", _fixed(Status())),
    Row("ping", "[ID]", "tell that the daemon is there", _ping),
    Row("bye", "", "take leave; nothing else happens", _fixed(Bye())),
    Row("crash", "", "answer error, to try that", _fixed(Crash())),
    Row("enable-ack", "", "answer each command with done or error, as at the start", _fixed(Acknowledge("enable"))),
    Row("disable-ack", "", "answer this command, and no further one", _fixed(Acknowledge("disable"))),
    Row("silence-ack", "", "answer no command, this one included", _fixed(Acknowledge("silence"))),
    Row(
        "enable-sync", "", "answer changes of routes once TCP has taken them, for each peer", _fixed(Synchronise(True))
    ),
    Row("disable-sync", "", "answer changes of routes once they are safe, as at the start", _fixed(Synchronise(False))),
    Row("daemon shutdown", "", "the same as shutdown", _fixed(Shutdown())),
    Row("daemon reload", "", "the same as reload", _fixed(Reload())),
    Row("daemon restart", "", "the same as restart", _fixed(Restart())),
    Row("daemon status", "", "the same as status", _fixed(Status())),
    Row("session ack enable", "", "the same as enable-ack", _fixed(Acknowledge("enable"))),
    Row("session ack disable", "", "the same as disable-ack", _fixed(Acknowledge("disable"))),
    Row("session ack silence", "", "the same as silence-ack", _fixed(Acknowledge("silence"))),
    Row(
        "session ack explain",
        "",
        "as enable-ack, and 'error: REASON' before each error",
        _fixed(Acknowledge("explain")),
    ),
    Row(
        "session sync",
        "[SECONDS] | enable|disable",
        "answer once all that was acknowledged before is written to every session that is up, or error after SECONDS "
        "(10); with a switch, as enable-sync and disable-sync",
        _synchronise,
    ),
    Row("session ping", "[ID]", "the same as ping", _ping),
    Row("session bye", "", "the same as bye", _fixed(Bye())),
    Row("session reset", "", "the same as reset, but answered", _fixed(Reset(answer=True))),
    Row("system version", "[text]", "the same as version json", _switchable_json(Version, True)),
    Row("system help", "[text]", "the same as help json", _switchable_json(Help, True)),
    Row("system queue-status", "", "tell how much waits for each helper", _fixed(QueueStatus())),
    Row("queue-status", "", "the same as system queue-status", _fixed(QueueStatus())),
    Row("system crash", "", "the same as crash", _fixed(Crash())),
    Row("system api version", "[4|6]", "tell the version of the API", _api_version),
    Row("rib show in", RIB_SHOW, "the same as show adj-rib in json", _show_adj_rib("in", True), True),
    Row("rib show out", RIB_SHOW, "the same as show adj-rib out json", _show_adj_rib("out", True), True),
    Row("rib flush out", "[IP]", "the same as flush adj-rib out", _selected(FlushAdjRibOut), True),
    Row("rib clear in", "[IP]", "the same as clear adj-rib in", _selected(partial(ClearAdjRib, "in")), True),
    Row("rib clear out", "[IP]", "the same as clear adj-rib out", _selected(partial(ClearAdjRib, "out")), True),
    Row("peer list", "", "list neighbors", _fixed(PeerList())),
    Row("peer create", PEER_CREATE, "add a neighbor until the next reload, with keep for good", _peer_create),
    Row("create neighbor", PEER_CREATE, "the same as peer create", _peer_create),
    Row(
        "peer delete",
        "IP|*|[ IP… ]",
        "remove neighbors; those of the configuration come back with a reload",
        _peer_delete,
    ),
    Row("delete neighbor", "IP|*", "the same as peer delete", _peer_delete),
    Row("peer show", PEER_SHOW, "the same as show neighbor … json", _show_neighbor(True)),
    *(
        Row(f"show {form}", "[json]", f"after a selector: show neighbor {form}", _show_form(form), True)
        for form in FORMS
    ),
    Row(
        "group start",
        "",
        "begin a group: changes of routes, at most 100,000, that are carried out together at its end, or not at all",
        _fixed(Group(True)),
    ),
    Row("group end", "", "carry out the group, or answer error where a command of it was wrong", _fixed(Group(False))),
)
