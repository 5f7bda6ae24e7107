"""A batch fits the bus, whatever is announced and however its sessions have it packed."""

from __future__ import annotations

import tracemalloc

import pytest
from msgspec.structs import replace

import ribd.group
from bgp.attribute import Communities
from bgp.family import IPV4_MPLS_VPN, IPV4_UNICAST, Family
from bgp.route import encode_set
from bgp.shape import Shape
from bus.schema import Batch, Message, Pull, pack
from ribd.group import SEGMENT_OCTETS, UpdateGroup
from ribd.server import SETTLED
from tests.unit.rib_bench import Daemon, SimulatedPeer, unicast

SHAPE = Shape(families=(IPV4_UNICAST, IPV4_MPLS_VPN))
SHAPES = [
    replace(SHAPE, message_size=size, group_updates=grouped) for size in (4096, 65535) for grouped in (True, False)
]
LARGEST = 4 * SEGMENT_OCTETS
WHERE = [tracemalloc.Filter(True, "*/ribd/*"), tracemalloc.Filter(True, "*/bgp/pack.py")]


def largest_batch(daemon: Daemon, shape: Shape, routes: int) -> int:
    """Send a session all there is; return the octets of the largest message."""
    cursors, largest, sent = [[*family, 0, 0] for family in shape.families], 0, 0
    for number in range(1, 10_000):
        pull = Pull("a", number, daemon.state.lineage_of("a"), shape.to_wire(), cursors, 1 << 20)
        answers: list[Message] = daemon.say(b"peerd", pull)
        if not answers:
            break
        (batch,) = answers
        assert isinstance(batch, Batch)
        largest, cursors = max(largest, len(pack(batch))), batch.cursors
        sent += batch.routes
    assert sent == routes
    return largest


def communities(octets: int, number: int = 0) -> bytes:
    """Return an attribute set of so many octets, roughly."""
    return encode_set([Communities(tuple(range(number, number + octets // 4)))], bytes(4))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.message_size}-{shape.group_updates}")
@pytest.mark.parametrize("size", [100, 1000, 3980, 4020, 30_000, 65_400])
def test_attributes_that_are_repeated_in_every_message_are_counted(daemon: Daemon, shape: Shape, size: int) -> None:
    count = 4096 if size < 5000 else 1000
    daemon.state.rib.of["a"].family(IPV4_UNICAST).announce(communities(size), [unicast(each) for each in range(count)])
    assert largest_batch(daemon, shape, count) < LARGEST


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.message_size}-{shape.group_updates}")
def test_families_whose_few_routes_have_a_message_each_are_counted_so(daemon: Daemon, shape: Shape) -> None:
    family: Family = IPV4_MPLS_VPN
    item = bytes(4) + bytes((24 + 64 + 32,)) + b"\0\0\1" + bytes(8) + b"\x0a"
    for number in range(64):
        items = [item + bytes((0, number, each)) for each in range(16)]
        daemon.state.rib.of["a"].family(family).announce(communities(60_000, number), items)
    assert largest_batch(daemon, shape, 64 * 16) < LARGEST


def test_the_segments_that_are_kept_take_no_more_memory_than_they_may(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ribd.group, "CACHED_OCTETS", 100_000)
    stream = UpdateGroup(daemon.state.rib.of["a"], SHAPE).stream(IPV4_UNICAST)
    table = daemon.state.rib.of["a"].family(IPV4_UNICAST)
    tracemalloc.start()
    for number in range(2000):
        position = table.version
        table.announce(communities(8), [unicast(number % 4)])
        table.withdraw(b"", [unicast(number % 4)])
        stream.next(position, table.version)
    used = sum(each.size for each in tracemalloc.take_snapshot().filter_traces(WHERE).statistics("filename"))
    tracemalloc.stop()
    assert used < 200_000


def test_what_every_session_has_been_sent_is_not_kept(daemon: Daemon) -> None:
    daemon.apply(["a"], 1, IPV4_UNICAST, 1, [unicast(number) for number in range(1000)])
    fast, slow = SimulatedPeer("a", 1), SimulatedPeer("a", 1)
    fast.drain(daemon)
    assert daemon.rib is not None
    ((group,),) = [groups.values() for groups in daemon.rib._groups.values()]
    stream = group.stream(IPV4_UNICAST)
    assert stream._segments
    daemon.loop.pass_time(2 * SETTLED)
    assert stream._segments == {}
    assert stream._cached == 0
    slow.drain(daemon)
    assert slow.table == fast.table


def test_former_forms_of_configured_routes_are_sent_within_bounds(daemon: Daemon) -> None:
    table = daemon.state.rib.of["a"].family(IPV4_UNICAST)
    for number in range(2000):
        for attributes in (communities(4000, number), communities(8)):
            table.announce(attributes, [unicast(number)], configured=True)
    assert len(table.superseded) == 2000
    assert largest_batch(daemon, SHAPE, 2000) < LARGEST
