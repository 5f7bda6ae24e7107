"""The commands: how each is written and what it is for. What reads it stands in `command_table`.

`help` and the manual are made from `COMMANDS`. A row's `name` is the words that it begins with; the longest
name that a line begins with decides. Nothing else of the grammar is needed for it, so that the command line is quick.
"""

from __future__ import annotations

from msgspec import Struct

FORMS = ("summary", "extensive", "configuration")
FILTERS = ("inet", "flow", "l2vpn")
SWITCHES = ("enable", "disable")
JSON = ("json", "text")
ALWAYS_JSON = ("json",)  # may be said, and changes nothing
NEIGHBOR_OPTIONS = (*FORMS, *JSON)
RIB_OPTIONS = (*FILTERS, "ipv4", "ipv6", "extensive", *JSON)
SELECTORS = ("neighbor", "peer")
TERM_NAMES = ("local-ip", "local-as", "peer-as", "router-id", "family-allowed")
RIB_SHOW = "[IP] [FAMILY] [extensive] [text]"
PEER_SHOW = "[IP] [summary|extensive|configuration] [text]"
PEER_CREATE = (
    "IP local-address IP local-as N peer-as N [router-id IP] [family-allowed F] [DIRECTIVE VALUE…] [api P]… [keep]"
)


class Row(Struct, frozen=True):
    """One command.

    selectable: `neighbor …` may stand before it. options: words that may follow it, in any order, among its values.
    """

    name: str
    syntax: str
    help: str
    selectable: bool = False
    options: tuple[str, ...] = ()


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


def _route_rows(verb: str) -> tuple[Row, ...]:
    return tuple(
        Row(f"{verb} {name}", syntax, f"{verb} {text}", selectable=True)
        for name, (syntax, text) in ROUTE_SYNTAX.items()
    )


COMMANDS: tuple[Row, ...] = (
    *_route_rows("announce"),
    *_route_rows("withdraw"),
    Row("announce watchdog", "[NAME]", "announce the routes of a watchdog", True),
    Row("withdraw watchdog", "[NAME]", "withdraw the routes of a watchdog", True),
    Row("announce eor", "[AFI SAFI]", "send End-of-RIB; without family that of ipv4 unicast", True),
    Row("announce route-refresh", "AFI SAFI", "ask the peer for its routes again", True),
    Row("announce refresh", "AFI SAFI", "the same as announce route-refresh", True),
    Row(
        "announce operational",
        "asm|adm|rpcq|rpcp|apcq|apcp|lpcq|lpcp afi AFI safi SAFI …",
        "send an operational message",
        True,
    ),
    Row("teardown", "SUBCODE", "end the session with Cease and this subcode (0..255); it comes back", True),
    Row("show neighbor", "[IP] summary|extensive|configuration [json]", "show neighbors", True, NEIGHBOR_OPTIONS),
    Row(
        "show adj-rib in",
        "[IP] [inet|flow|l2vpn|AFI SAFI] [extensive] [json]",
        "show received routes",
        True,
        RIB_OPTIONS,
    ),
    Row(
        "show adj-rib out",
        "[IP] [inet|flow|l2vpn|AFI SAFI] [extensive] [json]",
        "show announced routes",
        True,
        RIB_OPTIONS,
    ),
    Row("flush adj-rib out", "[IP]", "send all routes again", True),
    Row("clear adj-rib in", "[IP]", "forget received routes", True),
    Row("clear adj-rib out", "[IP]", "withdraw all routes", True),
    Row("flush", "", "nothing: routes leave without it"),
    Row(
        "shutdown",
        "[keep] [TEXT]",
        "end the daemon; after a selector: end sessions, tell the peers TEXT, and keep them closed",
        True,
    ),
    Row("enable", "", "after a selector: open neighbors that were shut", True),
    Row("reload", "", "read the configuration again; sessions that it does not change stay up"),
    Row("restart", "", "restart sessions and helpers"),
    Row("reset", "", "forget what is under way, without an answer"),
    Row("version", "[json]", "tell the version", False, JSON),
    Row("help", "[json]", "list the commands", False, JSON),
    Row("status", "[json]", "tell how the daemon and its sessions are", False, ALWAYS_JSON),
    Row("ping", "[ID]", "tell that the daemon is there"),
    Row("bye", "", "take leave; nothing else happens"),
    Row("crash", "", "answer error, to try that"),
    Row("enable-ack", "", "answer each command with done or error, as at the start"),
    Row("disable-ack", "", "answer this command, and no further one"),
    Row("silence-ack", "", "answer no command, this one included"),
    Row("enable-sync", "", "answer changes of routes once TCP has taken them, for each peer"),
    Row("disable-sync", "", "answer changes of routes once they are safe, as at the start"),
    Row("daemon shutdown", "", "the same as shutdown"),
    Row("daemon reload", "", "the same as reload"),
    Row("daemon restart", "", "the same as restart"),
    Row("daemon status", "[json]", "the same as status", False, ALWAYS_JSON),
    Row("session ack enable", "", "the same as enable-ack"),
    Row("session ack disable", "", "the same as disable-ack"),
    Row("session ack silence", "", "the same as silence-ack"),
    Row("session ack explain", "", "as enable-ack, and 'error: REASON' before each error"),
    Row(
        "session sync",
        "[SECONDS] | enable|disable",
        "answer once all that was acknowledged before is written to every session that is up, or error after SECONDS "
        "(10); with a switch, as enable-sync and disable-sync",
        False,
        SWITCHES,
    ),
    Row("session ping", "[ID]", "the same as ping"),
    Row("session bye", "", "the same as bye"),
    Row("session reset", "", "the same as reset, but answered"),
    Row("system version", "[text]", "the same as version json", False, JSON),
    Row("system help", "[text]", "the same as help json", False, JSON),
    Row("system queue-status", "[json]", "tell how much waits for each helper", False, ALWAYS_JSON),
    Row("queue-status", "[json]", "the same as system queue-status", False, ALWAYS_JSON),
    Row("system crash", "", "the same as crash"),
    Row("system api version", "[4|6]", "tell the version of the API"),
    Row("rib show in", RIB_SHOW, "the same as show adj-rib in json", True, RIB_OPTIONS),
    Row("rib show out", RIB_SHOW, "the same as show adj-rib out json", True, RIB_OPTIONS),
    Row("rib flush out", "[IP]", "the same as flush adj-rib out", True),
    Row("rib clear in", "[IP]", "the same as clear adj-rib in", True),
    Row("rib clear out", "[IP]", "the same as clear adj-rib out", True),
    Row("peer list", "[json]", "list neighbors", False, ALWAYS_JSON),
    Row("peer create", PEER_CREATE, "add a neighbor until the next reload, with keep for good"),
    Row("create neighbor", PEER_CREATE, "the same as peer create"),
    Row("peer delete", "IP|*|[ IP… ]", "remove neighbors; those of the configuration come back with a reload"),
    Row("delete neighbor", "IP|*", "the same as peer delete"),
    Row("peer show", PEER_SHOW, "the same as show neighbor … json", False, NEIGHBOR_OPTIONS),
    *(Row(f"show {form}", "[json]", f"after a selector: show neighbor {form}", True, JSON) for form in FORMS),
    Row(
        "group start",
        "",
        "begin a group: changes of routes, at most 100,000, that are carried out together at its end, or not at all",
    ),
    Row("group end", "", "carry out the group, or answer error where a command of it was wrong"),
)

ROWS: dict[tuple[str, ...], Row] = {}
for _row in COMMANDS:
    if ROWS.setdefault(tuple(_row.name.split()), _row) is not _row:
        raise ValueError(f"the command '{_row.name}' is there twice")
# What may follow the first words of a command.
FOLLOWING: dict[tuple[str, ...], set[str]] = {(): {"neighbor", "debug"}}
for _name in ROWS:
    for _place, _word in enumerate(_name):
        FOLLOWING.setdefault(_name[:_place], set()).add(_word)
