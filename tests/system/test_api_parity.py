"""What a helper reads in answer to its commands, and of its sessions: line by line what ExaBGP 5 writes."""

from __future__ import annotations

import json
import signal

import pytest

from tests.routers.process import free_port
from tools.differential.compare import answers
from tools.differential.run import Case, Plan, Result, run

pytestmark = pytest.mark.system

STATIC = """family { ipv4 unicast; ipv6 unicast; }
capability { route-refresh; }
static {
route 10.0.0.0/24 next-hop 1.1.1.1 med 5 community [ 1:2 no-export ];
}
"""
FULL_NAME = (
    "neighbor 127.0.1.1 local-ip 127.0.0.1 local-as 65001 peer-as 65001 router-id 10.0.0.1 family-allowed in-open"
)
# Commands in order, and what must be read before the next one.
CONVERSATION: tuple[tuple[str, list[str]], ...] = (
    ("", ["error"]),
    ("# a comment", ["done"]),
    ("bogus", ["error"]),
    ("announce route 10.0.0.0/33 next-hop 1.2.3.4", ["error"]),
    ("announce route 10.1.0.0/24", ["error"]),
    ("announce route 10.1.0.0/24 next-hop 1.2.3.4", ["done"]),
    ("  announce   route 10.2.0.0/24   next-hop 1.2.3.4  ", ["done"]),
    ("withdraw route 10.1.0.0/24", ["done"]),
    ("announce route 10.3.0.0/24 next-hop 1.2.3.4 bogus 3", ["error"]),
    ("ANNOUNCE route 1.0.0.0/8 next-hop 1.2.3.4", ["error"]),
    ("neighbor 9.9.9.9 announce route 1.0.0.0/8 next-hop 1.2.3.4", ["error"]),
    (
        "show adj-rib out",
        [
            "127.0.1.1 ipv4 unicast 10.0.0.0/24 next-hop 1.1.1.1",
            "127.0.1.1 ipv4 unicast 10.2.0.0/24 next-hop 1.2.3.4",
            "done",
        ],
    ),
    (
        "show adj-rib out extensive",
        [
            f"{FULL_NAME} ipv4 unicast 10.0.0.0/24 next-hop 1.1.1.1 med 5 community [ 1:2 no-export ]",
            f"{FULL_NAME} ipv4 unicast 10.2.0.0/24 next-hop 1.2.3.4",
            "done",
        ],
    ),
    ("announce eor ipv4 bogus", ["error"]),
    ("announce route-refresh ipv4 bogus", ["error"]),
    ("announce watchdog", ["done"]),
    ("teardown", ["error"]),
    ("crash", ["error"]),
    ("reset", []),
    ("disable-ack", ["done"]),
    ("announce route 7.0.0.0/8 next-hop 1.2.3.4", []),
    ("enable-ack", ["done"]),
    ("silence-ack", []),
    ("announce route 8.0.0.0/8 next-hop 1.2.3.4", []),
    ("enable-ack", ["done"]),
)


def speak(kind: str, commands: list[str], encoder: str = "text", api: str = "") -> Result:
    """Run one speaker with one neighbor; SIGUSR1 comes at the end."""
    case = Case("parity", STATIC, tuple(commands), api=api)
    return run(kind, Plan([case], encoder=encoder, reload=[case], signal=signal.SIGUSR1), free_port())


def test_every_command_is_answered_as_exabgp_answers_it() -> None:
    lines = [f"@quick {command}" if not answer else f"!{command}" for command, answer in CONVERSATION]
    found = answers(speak("bgpbus", lines))[1:]
    assert [(command, answer) for command, answer in found][:-1] == list(CONVERSATION)[:-1]


def test_a_json_helper_reads_the_life_of_a_session_and_the_signals_of_the_daemon() -> None:
    api = "neighbor-changes; fsm; signal; negotiated; receive { parsed; open; } send { parsed; open; }"
    lines = speak("bgpbus", [], "json", api).lines
    events = [json.loads(line) for line in lines if line.startswith("{")]
    told = [
        (event["type"], event["neighbor"].get("state") or event["neighbor"].get("direction") or event.get("name"))
        for event in events
        if "neighbor" in event
    ]
    assert told[:10] == [
        ("fsm", "ACTIVE"),
        ("fsm", "IDLE"),
        ("state", "connected"),
        ("fsm", "CONNECT"),
        ("open", "send"),
        ("fsm", "OPENSENT"),
        ("open", "receive"),
        ("negotiated", None),
        ("fsm", "OPENCONFIRM"),
        ("fsm", "ESTABLISHED"),
    ]
    assert told[10] == ("state", "up")
    assert "signal" in [event["type"] for event in events]
