"""Each clause on messages other than UPDATEs (RFC 4271 section 6, and the RFCs that amend it), in each state.

The rows of tests/golden/rfc4271.jsonl: `octets` is what the peer sends in `state`; `enhanced` and `operational` say
what was negotiated beside the families. Outcomes: `accept`, `closed` (without NOTIFICATION), or code and subcode of
the NOTIFICATION, with its `data` where the clause says what that is.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bgp.action import Action, Close, Deliver, Down, Send
from bgp.capability import EnhancedRouteRefresh
from bgp.event import Incoming, Received, Start
from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from bgp.fsm import State
from bgp.message import KEEPALIVE, MessageType, build
from bgp.notification import Notification
from bgp.peer import Peer
from bgp.settings import SessionSettings
from tests.unit.session_vectors import rows

ROWS = rows("rfc4271")
SENTINEL = build(MessageType.UPDATE, bytes(4))
LOCAL, REMOTE = bytes((10, 0, 0, 254)), bytes((10, 0, 0, 2))


def peer_in(row: dict[str, Any]) -> Peer:
    """Bring a peer into the state that a row starts from."""
    peer_as = 65000 if row["peer"] == "ibgp" else 65001
    ours = SessionSettings(
        LOCAL,
        65000,
        peer_as,
        families=(IPV4_UNICAST, IPV6_UNICAST),
        extended_message=False,
        route_refresh=True,
        operational=row.get("operational", False),
        passive=True,
    )
    theirs = replace(ours, router_id=REMOTE, local_as=peer_as, peer_as=65000).open()
    if not row.get("enhanced", False):
        kept = tuple(one for one in theirs.capabilities if not isinstance(one, EnhancedRouteRefresh))
        theirs = replace(theirs, capabilities=kept)
    peer = Peer(ours)
    peer.handle(Start(), 0.0)
    peer.handle(Incoming(LOCAL, REMOTE), 0.0)
    if row["state"] != "opensent":
        peer.handle(Received(1, theirs.message()), 0.0)
    if row["state"] == "established":
        peer.handle(Received(1, KEEPALIVE), 0.0)
    assert [one.state for one in peer.connections] == [row["state"].upper()]
    return peer


def notification(actions: list[Action]) -> Notification | None:
    """Return the NOTIFICATION that is sent, if any; a CLOSE must follow it."""
    for place, action in enumerate(actions):
        if isinstance(action, Send) and action.octets[18] == MessageType.NOTIFICATION:
            assert any(isinstance(one, Close) for one in actions[place:])
            return Notification.decode(action.octets[19:])
    return None


@pytest.mark.parametrize("size", [65536, 1, 20], ids=["whole", "octet-by-octet", "by-20-octets"])
@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_message_ends_as_its_clause_says(row: dict[str, Any], size: int) -> None:
    peer = peer_in(row)
    octets = bytes.fromhex(row["octets"])
    actions: list[Action] = []
    for offset in range(0, len(octets), size):
        actions += peer.handle(Received(1, octets[offset : offset + size]), 1.0)
    sent = notification(actions)
    if sent is not None:
        assert f"{sent.code}/{sent.subcode}" == row["outcome"]
        if "data" in row:
            assert sent.data.hex() == row["data"]
        return
    if any(isinstance(action, Down) for action in actions):
        assert row["outcome"] == "closed"
        return
    assert row["outcome"] == "accept"
    follow = SENTINEL if peer.established is not None else KEEPALIVE + SENTINEL
    assert Deliver(1, [SENTINEL]) in peer.handle(Received(1, follow), 2.0)
    assert [one.state for one in peer.connections] == [State.ESTABLISHED]


def test_every_row_has_an_id_of_its_own() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
