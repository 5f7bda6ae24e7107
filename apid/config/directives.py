"""Every directive as data: how it is written, what it means bare or absent, and one line of help.

The parser reads these tables and documentation is generated from them, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from apid.config.values import (
    ADDRESS,
    ADDRESS_OR_AUTO,
    ASN,
    BOOLEAN,
    BOOLEAN_OR_AUTO,
    COMMAND_LINE,
    HOST_NAME,
    ROUTER_ID,
    TEXT,
    Value,
    choice,
    integer,
    rate,
    ttl,
    word,
)
from bgp.capability.role import ROLE_NAMES


class _Required:
    """Marks a directive that must be given, or that needs a value."""

    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()


class Directive(Struct, frozen=True):
    """One directive: `bare` is its value without words, `default` its value where it is absent.

    For the manual: `absent` says the default in words where its value says nothing, `differs` what ExaBGP does
    otherwise.
    """

    value: Value
    default: Any
    help: str
    bare: Any = REQUIRED
    absent: str = ""
    differs: str = ""


def _switch(default: bool, text: str, differs: str = "") -> Directive:
    """Describe a boolean that is on where it stands bare."""
    return Directive(BOOLEAN, default, text, bare=True, differs=differs)


_BARE_IS_OFF = "ExaBGP takes the bare word for off."


NEIGHBOR: Mapping[str, Directive] = {
    "description": Directive(TEXT, "", "A text for people.", bare="", absent="empty"),
    "router-id": Directive(
        ROUTER_ID,
        REQUIRED,
        "Our BGP identifier, not 0.0.0.0.",
        absent="the local address where both addresses are IPv4; else required",
    ),
    "local-address": Directive(
        ADDRESS_OR_AUTO, None, "Our end of the session, of the peer's address family.", absent="auto"
    ),
    "source-interface": Directive(
        word("interface name", 15), None, "The device that the socket is bound to.", absent="none"
    ),
    "local-as": Directive(ASN, REQUIRED, "Our AS number; `auto` copies the peer's, and waits for its OPEN to do so."),
    "peer-as": Directive(ASN, REQUIRED, "The peer's AS number; `auto` accepts any."),
    "hold-time": Directive(
        integer(3, 65535, zero=True), 180, "Proposed hold time in seconds; 0 for a session without KEEPALIVEs."
    ),
    "send-hold-time": Directive(
        integer(3, 65535),
        None,
        "Seconds for which the peer may take nothing of what is written before the session ends (RFC 9687).",
        absent="the larger of 8 minutes and twice the hold time",
        differs="ExaBGP has no such timer.",
    ),
    "flow-limit": Directive(
        integer(0, 1_000_000),
        None,
        "The most FlowSpec rules that the neighbor may have, whoever announces them; a command beyond it is an error.",
        absent="no limit",
        differs="ExaBGP has no such limit.",
    ),
    "rate-limit": Directive(rate(), None, "The most messages with routes sent in one second.", absent="no limit"),
    "passive": _switch(False, "Wait for the peer to connect."),
    "listen": Directive(
        integer(0, 65535),
        0,
        "A further port to listen on for this neighbor; needs an explicit local-address.",
        absent="none",
    ),
    "connect": Directive(
        integer(0, 65535),
        0,
        "The port to connect to.",
        absent="the environment's `tcp.port`",
        differs="ExaBGP takes `tcp.port` from environment variables only, not from the ini file.",
    ),
    "outgoing-ttl": Directive(
        ttl(), None, "The TTL of packets that we send.", absent="the system's; 255 with incoming-ttl"
    ),
    "incoming-ttl": Directive(
        ttl(), None, "The lowest TTL of packets that we accept, known as TTL security (RFC 5082).", absent="any"
    ),
    "md5-password": Directive(
        word("password"), None, "The key of TCP MD5 signatures, at most 80 octets (RFC 2385).", absent="no signatures"
    ),
    "md5-base64": Directive(
        BOOLEAN_OR_AUTO, False, "Whether the password is base64; `auto` takes it for base64 if it is.", bare=True
    ),
    "md5-ip": Directive(
        ADDRESS, None, "Accepted, without effect: a key is found by the peer's address.", absent="the local address"
    ),
    "host-name": Directive(
        HOST_NAME,
        None,
        "The name in the hostname capability, at most 255 characters, of which 64 are sent.",
        absent="the capability is not sent",
    ),
    "domain-name": Directive(HOST_NAME, None, "The domain in the hostname capability.", absent="none"),
    "group-updates": _switch(True, "Send routes of equal attributes in one UPDATE; off: an UPDATE for each route."),
    "auto-flush": _switch(True, "Accepted, without effect: routes leave at once, as from ExaBGP 5."),
    "adj-rib-in": _switch(True, "Keep the routes that the peer sends, for `show adj-rib in`.", _BARE_IS_OFF),
    "adj-rib-out": _switch(
        True,
        "Keep the routes that were sent, for sessions that come back, `flush adj-rib out` and `show adj-rib out`; off: "
        "each is forgotten once it was sent. It stays on for a range, and with `route-refresh` or `flow-limit`.",
        _BARE_IS_OFF,
    ),
    "end-of-rib-wait": Directive(
        integer(0, 3600),
        30,
        "With graceful-restart: the most seconds, from our start, for which End-of-RIB waits for helpers to announce "
        "their routes; one that has announced some and is silent for a second has. 0: it follows the routes at once.",
        differs="ExaBGP does not wait, and the peer drops what it kept of our routes.",
    ),
    "manual-eor": _switch(False, "Leave End-of-RIB markers to helpers (`announce eor`).", _BARE_IS_OFF),
}

CAPABILITY: Mapping[str, Directive] = {
    "asn4": _switch(True, "4-octet AS numbers (RFC 6793)."),
    "extended-message": _switch(True, "Messages of up to 65535 octets (RFC 8654)."),
    "route-refresh": _switch(False, "Route refresh, plain and enhanced (RFC 2918, RFC 7313)."),
    "graceful-restart": Directive(
        integer(0, 65535, also=dict.fromkeys(("disable", "disabled", "false"))),
        None,
        "Graceful restart with this restart time in seconds (RFC 4724); 0 or bare: the hold time.",
        bare=0,
        absent="off",
    ),
    "add-path": Directive(
        choice("send", "receive", "send/receive", "disable", "disabled"),
        "disable",
        "Several paths for a prefix, of IPv4 and IPv6 unicast, nlri-mpls and mpls-vpn (RFC 7911).",
    ),
    "multi-session": _switch(False, "One session for each family."),
    "operational": _switch(False, "OPERATIONAL messages."),
    "nexthop": Directive(
        BOOLEAN,
        False,
        "Next hops of another family (RFC 8950), those of the section `nexthop`.",
        bare=True,
        absent="on where `nexthop` has entries",
    ),
    "aigp": _switch(False, "Send and accept AIGP on an eBGP session (RFC 7311)."),
    "software-version": _switch(False, "Tell the peer which software this is.", _BARE_IS_OFF),
    "link-local-nexthop": _switch(
        False, "Tell the peer that a link-local address alone may be a next hop.", "ExaBGP has it from 6.0 on."
    ),
    "long-lived-graceful-restart": Directive(
        integer(1, 0xFFFFFF),
        None,
        "With graceful-restart: the seconds for which the peer may keep our routes as its last resort (RFC 9494).",
        absent="off",
        differs="ExaBGP has no such capability.",
    ),
    "role": Directive(
        choice(*ROLE_NAMES.values()),
        None,
        "What we are to an external peer (RFC 9234): what would leak is not sent, and withdrawn when it is received.",
        absent="none",
        differs="ExaBGP knows no roles.",
    ),
    "role-strict": _switch(False, "Want no session with a peer that has no role.", "ExaBGP knows no roles."),
}

EVENTS: Mapping[str, Directive] = {
    "neighbor-changes": _switch(False, "Tell when the session connects, comes up and goes down."),
    "negotiated": _switch(False, "Tell what the OPENs agreed upon."),
    "fsm": _switch(False, "Tell each change of the session's state machine."),
    "signal": _switch(False, "Tell which signals arrive."),
}

MESSAGES: Mapping[str, Directive] = {
    "open": _switch(False, "OPEN messages."),
    "update": _switch(False, "UPDATE messages; also written `updates`."),
    "notification": _switch(False, "NOTIFICATION messages."),
    "keepalive": _switch(False, "KEEPALIVE messages."),
    "refresh": _switch(False, "ROUTE-REFRESH messages."),
    "operational": _switch(False, "OPERATIONAL messages."),
    "parsed": _switch(False, "Send them decoded."),
    "packets": _switch(False, "Send them as octets in hexadecimal."),
    "consolidate": _switch(False, "Send both in one event."),
}
MESSAGE_SYNONYMS: Mapping[str, str] = {"updates": "update"}

# What to expect in a section that has too many words to list them all.
USUAL: Mapping[str, str] = {
    "neighbor": (
        "local-address, local-as, peer-as, router-id, hold-time, passive, md5-password or another directive, "
        "or a section such as family, capability, api, static, flow"
    )
}

PROCESS: Mapping[str, Directive] = {
    "run": Directive(COMMAND_LINE, REQUIRED, "The program and its arguments; quote an argument that has spaces."),
    "encoder": Directive(
        choice("text", "json"),
        None,
        "The form of the events that the program reads; its commands are the same with both.",
        absent="the environment's `api.encoder`: json",
        differs="ExaBGP 4 and 5 ask for it.",
    ),
    "respawn": _switch(True, "Start the program again when it ends."),
    "json-layout": Directive(
        choice("by-prefix", "by-next-hop"),
        None,
        "The shape of announced and withdrawn routes in JSON.",
        absent="by-prefix where the process has a `receive` of its own, else by-next-hop",
        differs="ExaBGP has by-next-hop only.",
    ),
    "json-version": Directive(
        choice("4", "5", "6"),
        "5",
        "The dialect of JSON: that of ExaBGP 4.2, 5.0 or 6.0.",
        differs="Each release of ExaBGP has its own.",
    ),
    **EVENTS,
}
