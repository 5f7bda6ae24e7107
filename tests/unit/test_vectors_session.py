"""The corpus of malformed messages, as far as the session decides: OPENs, NOTIFICATIONs and raw octets.

What an UPDATE does to its routes is not decided here; whether the session survives it in the pure state
machine is.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from bgp.action import Action, Close, Deliver, Down, Send
from bgp.errors import NotifyError
from bgp.event import Failed, Incoming, Received, Start
from bgp.family import FAMILIES
from bgp.fsm import State
from bgp.message import KEEPALIVE, build
from bgp.peer import Peer
from bgp.settings import SessionSettings
from bgp.update import decode_update
from tests.shared import shared

LOCAL = bytes((127, 0, 0, 1))
REMOTE = bytes((127, 0, 0, 2))
SENTINEL = build(2, bytes(4))


def cases() -> list[dict[str, Any]]:
    """Read the cases that are ours; none where the corpus is missing, and `test_the_corpus…` says so."""
    try:
        path = shared("vectors/vectors.jsonl")
    except pytest.skip.Exception:
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row for row in rows if row["kind"] != "update"]


CASES = cases()


def peer_in(context: dict[str, Any]) -> Peer:
    """Bring a peer into the state that a case starts from."""
    families = tuple(FAMILIES[name] for name in context["families"])
    ours = SessionSettings(
        bytes((10, 0, 0, 254)),
        context["dut_as"],
        context["peer_as"],
        families=families,
        asn4=context["as4"],
        extended_message=False,
        route_refresh=True,
        passive=True,
    )
    theirs = SessionSettings(
        bytes((10, 0, 0, 2)), context["peer_as"], context["dut_as"], families=families, route_refresh=True
    )
    peer = Peer(ours)
    peer.handle(Start(), 0.0)
    peer.handle(Incoming(LOCAL, REMOTE), 0.0)
    if context["state"] != "opensent":
        peer.handle(Received(1, theirs.open().message()), 0.0)
    if context["state"] == "established":
        peer.handle(Received(1, KEEPALIVE), 0.0)
    assert [one.state for one in peer.connections] == [context["state"].upper()]
    return peer


def feed(peer: Peer, octets: bytes) -> list[Action]:
    """Feed octets as a driver does: what the decoder of UPDATEs refuses comes back as `Failed`."""
    if not peer.connections:
        return []
    connection = peer.connections[0]
    actions = peer.handle(Received(1, octets), 1.0)
    messages = [message for action in actions if isinstance(action, Deliver) for message in action.messages]
    for message in messages:
        assert connection.negotiated is not None
        try:
            decode_update(message[19:], connection.negotiated)
        except NotifyError as error:
            return actions + peer.handle(Failed(1, error), 1.0)
    return actions


def outcome(peer: Peer, actions: list[Action]) -> str:
    """Say in the corpus' words how it ended."""
    for action in actions:
        if isinstance(action, Send) and action.octets[18] == 3:
            assert any(isinstance(one, Close) for one in actions)
            return f"session-reset {action.octets[19]}/{action.octets[20]}"
    if any(isinstance(action, Down) for action in actions):
        return "session-reset none"
    return "accept"


def allowed(case: dict[str, Any]) -> set[str]:
    return {case["expected"], *case.get("also_ok", ())}


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "octet-by-octet"])
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_of_the_corpus_ends_as_it_must(case: dict[str, Any], cut: bool) -> None:
    peer = peer_in(case["context"])
    octets = bytes.fromhex(case["hex"])
    actions: list[Action] = []
    for piece in [octets[i : i + 1] for i in range(len(octets))] if cut else [octets]:
        actions += feed(peer, piece)
    result = outcome(peer, actions)
    if case["expected"] == "survive":
        assert result == "accept" or result.startswith("session-reset")
        return
    assert result in allowed(case)
    if result == "accept":
        follow = KEEPALIVE + SENTINEL if peer.established is None else SENTINEL
        assert Deliver(1, [SENTINEL]) in feed(peer, follow)
        assert peer.connections[0].state == State.ESTABLISHED


def test_the_corpus_is_there() -> None:
    assert shared("vectors/vectors.jsonl").exists()
    assert CASES
