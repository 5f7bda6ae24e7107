"""A RIB daemon without sockets, and peers that do what its octets tell them: the stage for the tests of ribd."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

import ribd.server
from bgp.attribute import Med
from bgp.family import AFI, SAFI, Family
from bgp.message import split_messages
from bgp.negotiated import Negotiated
from bgp.nlri import route_key
from bgp.route import encode_set
from bgp.shape import Shape
from bgp.update import decode_update
from bus.daemon import RunDirectory
from bus.schema import Applied, Apply, Batch, Clear, Enrol, Message, Pull, Refused, Resync, pack, unpack
from peerd.outbound import Outbound
from ribd.server import RibServer

UNICAST = Family(AFI.IPV4, SAFI.UNICAST)
LABELLED = Family(AFI.IPV4, SAFI.NLRI_MPLS)
FAMILIES = (UNICAST, LABELLED)
UNSENDABLE = 99  # the number of an attribute set that these sessions cannot carry


def unicast(number: int) -> bytes:
    """Return the item of 10.x.y.z/32."""
    return bytes(4) + b"\x20\x0a" + number.to_bytes(3, "big")


def labelled(number: int, label: int) -> bytes:
    """Return the item of 10.x.y.z/32 with a label."""
    return bytes(4) + b"\x38" + (label << 4 | 1).to_bytes(3, "big") + b"\x0a" + number.to_bytes(3, "big")


def attributes(number: int) -> bytes:
    """Return an attribute set that is told by its MED."""
    next_hop = None if number == UNSENDABLE else b"\xc0\x00\x02\x01"  # these families need one
    return encode_set([Med(number)], next_hop)


class FakeLoop:
    """The loop's calls, carried out when the test says."""

    def __init__(self) -> None:
        self.time = 0.0
        self._soon: list[Callable[[], None]] = []
        self._later: list[Callable[[], None]] = []

    def now(self) -> float:
        """Return the time that the test set."""
        return self.time

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Keep for `turn`."""
        self._soon.append(callback)

    def call_later(self, _delay: float, callback: Callable[[], None]) -> None:
        """Keep for `pass_time`."""
        self._later.append(callback)

    def turn(self) -> None:
        """Do what was to be done soon."""
        soon, self._soon = self._soon, []
        for callback in soon:
            callback()

    def pass_time(self, seconds: float) -> None:
        """Do what was to be done later."""
        self.time += seconds
        later, self._later = self._later, []
        for callback in later:
            callback()


class FakeServer:
    """Where the daemon sends: a list for each identity."""

    def __init__(
        self, _loop: object, _path: Path, on_message: Callable[..., None], _bad: Callable[[str], None]
    ) -> None:
        self.on_message = on_message
        self.bad = 0
        self.sent: dict[bytes, list[Message]] = {}

    def send(self, identity: bytes, value: Message) -> bool:
        """Keep a copy as it would arrive."""
        self.sent.setdefault(identity, []).append(unpack(pack(value)))
        return True

    def reject(self, _reason: str) -> None:
        """Count."""
        self.bad += 1


class FakePublisher:
    """Nobody listens."""

    def __init__(self, *_arguments: object) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []

    def wanted(self, _topic: str) -> bool:
        """Nobody does."""
        return False

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        """Remember."""
        self.published.append((topic, data))


class Daemon:
    """One RIB daemon over several lives, and a client of it."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch, durable: bool = False) -> None:
        patch.setattr(ribd.server, "Server", FakeServer)
        patch.setattr(ribd.server, "Publisher", FakePublisher)
        patch.setattr(ribd.server, "gc", SimpleNamespace(collect=int, freeze=int))  # it would freeze the test's heap
        self.run = RunDirectory(directory)
        self.durable = durable
        self.sequence = 0
        self.lives = 0
        self.rib: RibServer | None = None
        self.start()

    def start(self) -> None:
        """Begin a (new) life; the former ended by kill -9, wherever it was."""
        self.close()
        self.loop = FakeLoop()
        log = logging.getLogger("bgpbus.test")
        self.lives += 1
        self.rib = RibServer(self.loop, self.run, f"life-{self.lives}", log, self.durable)  # type: ignore[arg-type]
        self.server: FakeServer = self.rib._server  # type: ignore[assignment]
        self.state = self.rib._state

    def close(self) -> None:
        """Give back the descriptor of the journal."""
        if self.rib is not None and self.rib._journal._log >= 0:
            os.close(self.rib._journal._log)
            self.rib._journal._log = -1

    def say(self, identity: bytes, message: Message) -> list[Message]:
        """Let a message arrive; return what its sender is told."""
        octets = pack(message)
        self.server.sent.pop(identity, None)
        self.server.on_message(identity, unpack(octets), octets)
        self.loop.turn()
        return self.server.sent.pop(identity, [])

    def request(self, message: Apply | Enrol | Clear) -> list[Message]:
        """Make a request as the client; return its answers."""
        return [each for each in self.say(b"client", message) if isinstance(each, Applied | Refused)]

    def apply(
        self, names: Iterable[str], announce: int, family: Family, number: int, items: list[bytes], *lease: int
    ) -> None:
        """Announce or withdraw routes (with no attributes where their number is 0); it must be taken."""
        self.sequence += 1
        change = [0, announce, *family, attributes(number) if announce or number else b"", items, *lease]
        answer = self.request(Apply("client", "epoch", self.sequence, [list(names)], [change]))
        assert answer == [Applied(self.sequence, "epoch")]

    def enrol(self, names: Iterable[str], forgetful: Iterable[str] = ()) -> None:
        """Say which neighbors exist, and which of them keep nothing."""
        self.sequence += 1
        request = Enrol("client", "epoch", self.sequence, list(names), forgetful=list(forgetful))
        assert self.request(request) == [Applied(self.sequence, "epoch")]

    def clear(self, names: Iterable[str]) -> None:
        """Withdraw all from neighbors."""
        self.sequence += 1
        assert self.request(Clear("client", "epoch", self.sequence, list(names))) == [Applied(self.sequence, "epoch")]

    def versions(self) -> dict[str, dict[Family, tuple[int, int]]]:
        """Return the newest version and the number of announced routes, by neighbor and family."""
        return {
            name: {family: (routes.version, len(routes)) for family, routes in table.families.items() if routes.version}
            for name, table in self.state.rib.of.items()
        }


class SimulatedPeer:
    """A session and the table at its other end."""

    def __init__(self, neighbor: str, number: int, shape: Shape | None = None, may_resync: bool = True) -> None:
        self.neighbor = neighbor
        self.identity = f"{neighbor}-{number}".encode()
        self.shape = shape or Shape(families=FAMILIES)
        self.negotiated = Negotiated(families=self.shape.families)
        self.outbound = Outbound(self.shape.families)
        self.table: dict[tuple[Family, bytes], tuple[int, bytes]] = {}
        self.announced = self.withdrawn = 0  # routes in all UPDATEs
        self.ends: list[Family] = []
        self.fresh: set[tuple[Family, bytes]] = set()  # what a sweep would leave
        self.refreshed: list[Family] = []
        self.withheld: list[str] = []
        self.resyncs = 0
        self.may_resync = may_resync
        self._request = 0

    def pull(self, daemon: Daemon, credit: int = 1 << 20) -> bool:
        """Ask once; return whether an answer came."""
        self._request += 1
        outbound = self.outbound
        pull = Pull(self.neighbor, self._request, outbound.lineage, self.shape.to_wire(), outbound.to_wire(), credit)
        answers = daemon.say(self.identity, pull)
        for answer in answers:
            if isinstance(answer, Resync):
                assert self.may_resync, answer.reason
                self.resyncs += 1
            elif isinstance(answer, Batch):
                self.take(answer)
        return bool(answers)

    def take(self, batch: Batch) -> None:
        """Write a batch to the wire."""
        assert batch.request == self._request
        self.withheld += batch.withheld
        before = {family: cursor.position for family, cursor in self.outbound.cursors.items()}
        self.outbound.advance(batch)
        for family, cursor in self.outbound.cursors.items():
            assert cursor.position >= before[family], "a cursor went back"
        for message in split_messages(batch.octets):
            assert len(message) <= self.shape.message_size
            self._read(message)
        self.ends += self.outbound.take_end_of_rib()
        self.refreshed += self.outbound.take_end_of_refresh()

    def ask_again(self, family: Family) -> None:
        """Ask for a family again, to sweep at the end what has not come."""
        assert self.outbound.refresh(family)
        self.shape = replace(self.shape, group_updates=False)  # as a session sends again
        self.refreshed = []
        self.fresh = {key for key in self.fresh if key[0] != family}

    def _read(self, message: bytes) -> None:
        update = decode_update(message[19:], self.negotiated)
        assert update.error is None, update.error
        for withdrawn in update.withdrawn:
            for item in withdrawn.items:
                self.withdrawn += 1
                self.table.pop((withdrawn.family, route_key(withdrawn.family, item)), None)
        for reach in update.announced:
            med = update.attributes.get(4)
            assert isinstance(med, Med)
            for item in reach.items:
                self.announced += 1
                key = reach.family, route_key(reach.family, item)
                self.table[key] = (med.value, item)
                self.fresh.add(key)

    def drain(self, daemon: Daemon, credit: int = 1 << 20) -> None:
        """Pull until nothing more comes."""
        for _ in range(100_000):
            if not self.pull(daemon, credit):
                return
        raise AssertionError("batches without end")
