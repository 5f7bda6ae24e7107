"""What a session sends: routes, pulled from ribd, and the messages between and after them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from bgp.action import Up
from bgp.family import Family
from bgp.message import split_messages
from bgp.operational import ASM, Operational
from bgp.pack import end_of_rib
from bgp.refresh import Refresh, RefreshSubtype
from bgp.shape import Shape
from bus.schema import Batch, Message, Pull, Resync
from bus.settings import SessionConfiguration
from peerd.connection import Connection
from peerd.outbound import Outbound
from peerd.pace import PacedConnection
from peerd.report import Report

BATCH_OCTETS = 256 * 1024  # asked of ribd at once
REASONS = 1024  # for withheld routes, logged once each: they may name a next hop
LOW_WATER = 128 * 1024  # octets that may wait for the socket when more is asked for


class Sender:
    """The outgoing half of one established session.

    `requests` numbers the Pulls of all sessions of this neighbor, so that no answer is taken for another's.
    """

    def __init__(
        self,
        connection: Connection | PacedConnection,
        up: Up,
        configuration: SessionConfiguration,
        to_ribd: Callable[[Message], bool],
        requests: Iterator[int],
        report: Report,
        log: logging.Logger,
        hold_end_of_rib: bool,
        hold_routes: bool,
    ) -> None:
        self._connection, self._name = connection, configuration.name
        self._to_ribd, self._requests, self._report, self._log = to_ribd, requests, report, log
        self._enhanced_refresh = up.negotiated.refresh == "enhanced"
        self._graceful = up.negotiated.graceful_restart
        self._operational = up.negotiated.operational
        self.outbound = Outbound(
            up.negotiated.families,
            end_of_rib_due=not configuration.manual_eor,
            held=hold_end_of_rib and not configuration.manual_eor,
        )
        shape = Shape.of(up.negotiated, configuration.group_updates)
        self._shape = shape.to_wire()
        self._refresh_shape = replace(shape, group_updates=False).to_wire()
        # For a peer with a rate limit, changes are to be joined in ribd, not queued here.
        self._low_water = 0 if isinstance(connection, PacedConnection) else LOW_WATER
        self._request = 0  # the number of the Pull that is out
        self._pulling = False
        self.held = hold_routes  # routes wait for what helpers say first
        self._begun: set[Family] = set()  # families whose End-of-RR is due
        self._withheld: set[str] = set()
        self._greetings: list[bytes] = []  # OPERATIONAL messages that follow the first routes
        self._written: list[int] = []  # positions up to which TCP has taken everything
        self._unwritten: deque[tuple[int, list[int]]] = deque()  # not taken: where it ends, and the positions

    def send(self, message: bytes) -> None:
        """Send one message that is no UPDATE."""
        self._report.sent_message(message)
        self._connection.send(message)

    def write(self, octets: bytes) -> None:
        """Send whole UPDATEs, and tell of it afterwards: the peer waits for them."""
        if octets:
            self._connection.send(octets)
            self._report.sent_updates(octets, split_messages(octets))

    def greet(self, messages: list[bytes], again: bool) -> None:
        """Send the first configured OPERATIONAL message if it is an ASM; a session that came back gets ASMs only."""
        if not self._operational:
            return
        repeated = [each for each in messages if Operational.decode(each[19:]).kind == ASM]
        self._greetings = list(repeated if again else messages)
        if repeated:
            self.send(self._greetings.pop(0))

    def release_end_of_rib(self) -> None:
        """Let End-of-RIB wait no longer for helpers, only for what they have announced."""
        if self.outbound.release():
            self._request = next(self._requests)  # the Pull that is out may not be answered for long
            self.pull_again()

    def release_routes(self) -> None:
        """Ask for routes from now on."""
        if self.held:
            self.held = False
            self.pull()

    def pull_again(self) -> None:
        """Ask for routes, though an answer may be under way: ribd has (re)connected and does not know the question."""
        self._pulling = False
        self.pull()

    def pull(self) -> None:
        """Ask for the next batch, if there may be one, none is on its way and little waits to be written."""
        if self.held or self._pulling or self._connection.queued > self._low_water:
            return
        self._request = next(self._requests)
        self._pulling = self._to_ribd(self._pull_message())

    def _pull_message(self) -> Pull:
        outbound = self.outbound
        return Pull(
            self._name,
            self._request,
            outbound.lineage,
            # What is sent again is sent route by route, as ExaBGP sends it.
            self._refresh_shape if outbound.refreshing else self._shape,
            outbound.to_wire(),
            BATCH_OCTETS,
            self._written if self._unwritten else [],
        )

    def progress(self) -> None:
        """TCP has taken something: tell ribd, which somebody may have asked for it, and ask for more."""
        taken = self._connection.accepted - self._connection.queued
        before = len(self._unwritten)
        while self._unwritten and self._unwritten[0][0] <= taken:
            _, self._written = self._unwritten.popleft()
        if self._pulling and len(self._unwritten) < before:
            self._to_ribd(self._pull_message())  # under the number of the one that is out: its answer still counts
        self.pull()

    def batch(self, batch: Batch) -> None:
        """Write what ribd sent, and the markers that are due after it."""
        if batch.request != self._request:
            return
        self._pulling = False
        for reason in batch.withheld:
            if reason not in self._withheld:
                if len(self._withheld) >= REASONS:
                    self._withheld.clear()
                self._withheld.add(reason)
                self._log.warning("routes withheld peer=%s reason=%s", self._name, reason)
        self._written = self._written or self._positions()
        self.outbound.advance(batch)
        self.write(batch.octets)
        self._mark()
        if self._connection.queued:
            self._unwritten.append((self._connection.accepted, self._positions()))
        else:
            self._unwritten.clear()
            self._written = self._positions()
        self.pull()

    def _positions(self) -> list[int]:
        return [cursor.position for cursor in self.outbound.cursors.values()]

    def _mark(self) -> None:
        """Send what follows routes that are all out now: End-of-RIB and the like."""
        for family in self.outbound.take_end_of_rib():
            self.write(end_of_rib(family))
        if self._greetings and self.outbound.complete:
            greetings, self._greetings = self._greetings, []
            for message in greetings:
                self.send(message)
        for family in self.outbound.take_end_of_refresh():
            if family in self._begun:
                self._begun.remove(family)
                self.send(Refresh(family, RefreshSubtype.END).message())

    @property
    def _may_begin(self) -> bool:
        """Whether the peer may be told that a refresh begins; if graceful, not before End-of-RIB (RFC 7313 section 4).

        Until then, End-of-RIB has the peer sweep; a refresh only has the routes.
        """
        return self._enhanced_refresh and not (self._graceful and self.outbound.end_of_rib_due)

    def _begin(self, families: Iterable[Family]) -> None:
        for family in families:
            self._begun.add(family)
            self.send(Refresh(family, RefreshSubtype.BEGIN).message())

    def resync(self, message: Resync) -> bool:
        """Send everything again, and have the peer sweep the rest: ribd does not know what the peer holds.

        False where the peer cannot be told to sweep, or not yet: only a new session helps.
        """
        if message.request != self._request:
            return True
        self._pulling = False
        self._log.warning("table is sent again peer=%s reason=%s", self._name, message.reason)
        if not self._may_begin:
            return False
        self._begin(self.outbound.families)
        self.outbound.start_over()
        self._unwritten.clear()
        self._written = self._positions()
        self.pull()
        return True

    def resend(self, families: Iterable[Family]) -> None:
        """Send families again; those that were not negotiated are passed over."""
        again = [family for family in families if self.outbound.refresh(family)]
        if not again:
            return
        if self._may_begin:
            self._begin(again)
        self._request = next(self._requests)  # the answer to the Pull that is out is from before: it must not be taken
        self.pull_again()
