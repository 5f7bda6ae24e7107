"""What helpers read of a session, for every kind of subscription: the same as from ExaBGP, run side by side."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from bgp.family import IPV4_UNICAST
from bgp.message import KEEPALIVE, build
from bgp.notification import ADMINISTRATIVE_RESET, CEASE, Notification
from bgp.operational import ASM, Operational
from bgp.pack import end_of_rib
from tests.interop.conftest import require
from tests.routers.exabgp import ExaBgp
from tests.routers.process import free_port
from tools.differential.compare import VOLATILE
from tools.differential.peer import Say
from tools.differential.run import Case, Plan, run

ATTRIBUTES = bytes.fromhex(
    "40010100 400206 02010000fde9 400304 c0000209 800404 00000032 400504 00000064 c00804 00010002"
)
UPDATE = build(2, b"\0\0" + len(ATTRIBUTES).to_bytes(2, "big") + ATTRIBUTES + bytes.fromhex("180a0201 180a0202"))
WITHDRAWAL = build(2, bytes.fromhex("0004 180a0201 0000"))
SAYS = (
    Say(0.3, UPDATE),
    Say(0.5, WITHDRAWAL),
    Say(0.7, end_of_rib(IPV4_UNICAST)),
    Say(0.9, Operational(ASM, IPV4_UNICAST, b"noon").message()),
    Say(1.1, KEEPALIVE),
    Say(2.5, Notification(CEASE, ADMINISTRATIVE_RESET, b"\x07upgrade").message()),
    Say(2.7, b""),
)
BODY = """family { ipv4 unicast; ipv6 unicast; }
capability { route-refresh; operational; }
hold-time 30;
static { route 10.0.0.0/24 next-hop 1.1.1.1; }
"""
TYPES = "open; update; notification; keepalive; refresh; operational;"
FORMS = {
    "life": "neighbor-changes; fsm; negotiated; signal;",
    "parsed": "receive { parsed; %s } send { parsed; %s }",
    "packets": "receive { packets; %s } send { packets; %s }",
    "both": "receive { parsed; packets; %s } send { parsed; packets; %s }",
    "consolidate": "receive { consolidate; %s } send { consolidate; packets; %s }",
    "negotiated": "negotiated; receive { parsed; packets; %s } send { packets; %s }",
    "types alone": "receive { %s } send { %s }",
}


def heard(kind: str, encoder: str, compact: bool) -> dict[str, set[str]]:
    """Return the different lines of each subscription, of its first session."""
    cases = [Case(name, BODY, says=SAYS, api=api.replace("%s", TYPES)) for name, api in FORMS.items()]
    environment = {"exabgp_api_compact": "true"} if compact else {}
    lines = run(kind, Plan(cases, encoder=encoder, quiet=3, environment=environment), free_port()).lines
    found: dict[str, set[str]] = defaultdict(set)
    name = ""
    for line in lines:
        if line.startswith("{"):
            event = json.loads(line)
            if "neighbor" in event:
                found[_case(event["neighbor"]["address"]["peer"])].add(_plain(event))
        elif line.startswith("neighbor "):
            name = _case(line.split()[1])
            # ExaBGP tells of a host name that was not sent, and shows octets as Python does.
            found[name].add(line.replace(", hostname(none none)", "").replace("\"b'noon'\"", '"noon"'))
        elif line.startswith(" header"):
            found[name].add(line)
    return found


def _case(address: str) -> str:
    return list(FORMS)[int(address.rpartition(".")[2]) - 1]


def _plain(event: dict[str, object]) -> str:
    """Drop what differs between two runs, and a host name that was not sent."""
    for key in VOLATILE:
        event.pop(key, None)
    neighbor = event["neighbor"]
    assert isinstance(neighbor, dict)
    if neighbor.get("direction") == "send" and "open" in neighbor:
        neighbor["open"]["capabilities"].pop("hostname", None)
    return json.dumps(event, sort_keys=True)


def _without_end(lines: set[str]) -> set[str]:
    """Leave out what belongs to the end of the daemon: its NOTIFICATION, which ExaBGP does not send."""
    end = Notification(CEASE, 2).encode()[:2].hex()
    marks = ("shutting down", '"subcode": 2', "code 6 subcode 2", f"body 0x{end}", f'"body": "0x{end}')
    return {line for line in lines if not any(mark in line for mark in marks)}


@pytest.mark.parametrize(("encoder", "compact"), [("json", False), ("json", True), ("text", False)])
def test_every_subscription_reads_what_exabgp_says(encoder: str, compact: bool) -> None:
    require(ExaBgp)
    theirs, ours = heard("exabgp", encoder, compact), heard("bgpbus", encoder, compact)
    for name in FORMS:
        assert _without_end(ours[name]) == _without_end(theirs[name]), name
    assert not theirs["types alone"]
    assert len(theirs["both"]) > len(theirs["parsed"]) > 10
