"""A session as ExaBGP 5.0.15 told it to a JSON and to a text helper: our events are the same, octet for octet.

`events_session.jsonl` and `.txt` are what the two helpers read of one session with both forms, both directions,
ADD-PATH and negotiated values, until it was reset.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from apid.render import Form, NeighborContext, ProcessContext, Renderer
from bgp.family import AFI, FAMILIES
from bgp.negotiated import Negotiated
from tests.shared import ROOT

LINES = (ROOT / "tests/golden/events_session.jsonl").read_text().splitlines()
NEIGHBOR = NeighborContext("127.0.0.1", "127.0.0.1", 65000, 65000, "10.0.0.2")


def negotiated_of(said: dict[str, Any]) -> Negotiated:
    """Read the object of a `negotiated` event."""
    return Negotiated(
        local_as=65000,
        peer_as=65000,
        hold_time=said["hold_time"],
        asn4=said["asn4"],
        message_size=said["message_size"],
        families=tuple(FAMILIES[name] for name in said["families"]),
        refresh=said["refresh"],
        multisession=said["multisession"],
        operational=said["operational"],
        next_hop=frozenset((FAMILIES[name.removesuffix(" ipv6")], AFI.IPV6) for name in said["nexthop"]),
        add_path_send=frozenset(FAMILIES[name] for name in said["add_path"]["send"]),
        add_path_receive=frozenset(FAMILIES[name] for name in said["add_path"]["receive"]),
    )


def replay(encoder: str, flags: int) -> list[bytes]:
    """Render the session's events again, one element for each line of the JSON helper."""
    first = json.loads(LINES[0])
    process = ProcessContext(first["host"], first["pid"], first["ppid"])
    renderer = Renderer(NEIGHBOR, process, encoder=encoder)
    negotiated: Negotiated | None = None
    message = b""
    events = []
    for line in LINES:
        event = json.loads(line)
        neighbor, kind, when, counter = event.get("neighbor"), event["type"], event["time"], event.get("counter", 0)
        if neighbor is None:
            events.append(renderer.shutdown(when))
        elif kind == "state":
            events.append(renderer.state(when, counter, neighbor["state"], neighbor.get("reason", "")))
        elif kind == "fsm":
            events.append(renderer.fsm(when, counter, neighbor["state"]))
        elif kind == "signal":
            events.append(renderer.signal(when, counter, int(neighbor["code"])))
        elif kind == "negotiated":
            negotiated = negotiated_of(neighbor["negotiated"])
            events.append(renderer.negotiated(when, counter, negotiated))
        else:
            raw = "category" in neighbor.get("message", {})
            if raw:
                message = bytes.fromhex(neighbor["message"]["header"][2:] + neighbor["message"]["body"][2:])
            form = (Form.PACKETS if raw else Form.PARSED) | (flags if "negotiated" in neighbor else 0)
            events += renderer.message(message, when, neighbor["direction"], negotiated, counter, form)
    return events


def test_a_json_helper_reads_what_exabgp_would_have_written() -> None:
    events = replay("json", Form.NEGOTIATED)
    assert [event.decode() for event in events] == [f"{line}\n" for line in LINES]


def test_a_text_helper_reads_what_exabgp_would_have_written() -> None:
    # The last two lines are the daemon's end: its text is one word here, see the test below.
    events = replay("text", 0)[:-2]
    assert b"".join(events).decode() == (ROOT / "tests/golden/events_session.txt").read_text()


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("text", "shutdown\n"),
        (
            "json",
            (
                '{ "exabgp": "5.0.0", "time": 1.5, "host" : "vm", "pid" : 7, "ppid" : 1, "type": "notification", '
                '"notification": "shutdown" }\n'
            ),
        ),
    ],
)
def test_the_end_of_the_daemon_is_a_word_or_a_notice(encoder: str, expected: str) -> None:
    assert Renderer(NEIGHBOR, ProcessContext("vm", 7, 1), encoder=encoder).shutdown(1.5).decode() == expected


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("text", "lost 42\n\n"),
        (
            "json",
            (
                '{ "exabgp": "5.0.0", "time": 1.5, "host" : "vm", "pid" : 7, "ppid" : 1, "type": "notification", '
                '"notification": "lost", "lost": 42 }\n'
            ),
        ),
    ],
)
def test_lost_events_are_told_with_their_number(encoder: str, expected: str) -> None:
    assert Renderer(NEIGHBOR, ProcessContext("vm", 7, 1), encoder=encoder).lost(1.5, 42).decode() == expected
