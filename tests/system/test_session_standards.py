"""What standards ask of a session and only a whole daemon can show: last words, signatures, large refreshes."""

from __future__ import annotations

from collections.abc import Callable

from bgp.family import IPV4_UNICAST
from bgp.refresh import Refresh, RefreshSubtype
from peerd.tcp import sign_with_md5
from tests.routers.process import PATIENCE
from tests.system.bed import Daemon, Helper, announce, neighbor, route
from tests.system.peer import Peer

JUNK = bytes(256 * 1024)  # more than one read of the session takes
ROUTES = 20_000
LOCAL = "127.0.0.1"


def test_a_notification_arrives_although_the_peer_has_sent_more_than_is_read(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer = make_peer()
    start(neighbor(peer))
    session = peer.established()
    session.send(JUNK)
    ended = peer.wait(lambda: session if session.ended is not None else None, PATIENCE, "the end")
    assert ended.notification is not None
    assert (ended.notification.code, ended.notification.subcode) == (1, 1)
    assert ended.reset is None


def signed(peer: Peer, key: str) -> Peer:
    """Have a peer ask for signatures of new connections."""
    sign_with_md5(peer._listening, LOCAL, key.encode())
    return peer


def test_another_md5_key_of_one_neighbor_leaves_the_others_alone(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer, other = (signed(make_peer(listen=False), key).listen() for key in ("first", "other"))
    told = neighbor(other, "md5-password other;")
    daemon = start(neighbor(peer, "md5-password first;") + told)
    peer.established()
    other.established()
    signed(peer, "second")
    daemon.file.write_text(neighbor(peer, "md5-password second;") + told)
    daemon.ask("reload")
    peer.established(2)
    assert len(other.sessions) == 1
    assert other.session.ended is None


def test_a_refresh_sends_every_route_again_between_markers_and_withdraws_none(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    peer, helper = make_peer(), make_helper("feed")
    start(helper.configuration() + neighbor(peer, "capability { route-refresh; } api { processes [ feed ]; }"))
    session = peer.established()
    helper.say("".join(map(announce, range(ROUTES))))
    routes = {route(number) for number in range(ROUTES)}
    peer.has(routes, 60)
    session.send(Refresh(IPV4_UNICAST).message())
    end = Refresh(IPV4_UNICAST, RefreshSubtype.END).message()
    peer.wait(lambda: end in [message for _, message in session.messages[-4:]], 60, "the end of the refresh")
    assert set(session.table) == routes
    assert set(session.announced.values()) == {2}
    assert not session.withdrawn
    assert Refresh(IPV4_UNICAST, RefreshSubtype.BEGIN).message() in [message for _, message in session.messages]
