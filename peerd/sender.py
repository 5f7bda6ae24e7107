"""What a session sends: the routes that ribd has for it, pulled, and the messages that go between and after them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

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
from peerd.report import Report

BATCH_OCTETS = 256 * 1024  # asked of ribd at once
LOW_WATER = 128 * 1024  # octets that may wait for the socket when more is asked for


class Sender:
    """The outgoing half of one established session.

    `requests` numbers the Pulls of all sessions of this neighbor, so that no answer is taken for another's.
    """

    def __init__(
        self,
        connection: Connection,
        up: Up,
        configuration: SessionConfiguration,
        to_ribd: Callable[[Message], bool],
        requests: Iterator[int],
        report: Report,
        log: logging.Logger,
        hold_end_of_rib: bool,
    ) -> None:
        self._connection, self._name = connection, configuration.name
        self._to_ribd, self._requests, self._report, self._log = to_ribd, requests, report, log
        self._enhanced_refresh = up.negotiated.refresh == "enhanced"
        self._operational = up.negotiated.operational
        self.outbound = Outbound(
            up.negotiated.families, end_of_rib_due=not configuration.manual_eor, held=hold_end_of_rib
        )
        shape = Shape.of(up.negotiated, configuration.group_updates)
        self._shape = shape.to_wire()
        self._refresh_shape = replace(shape, group_updates=False).to_wire()
        self._request = 0  # the number of the Pull that is out
        self._pulling = False
        self._withheld: set[str] = set()
        self._greetings: list[bytes] = []  # OPERATIONAL messages that follow the first routes

    def send(self, message: bytes) -> None:
        """Send one message that is no UPDATE."""
        self._report.sent_message(message)
        self._connection.send(message)

    def write(self, octets: bytes) -> None:
        """Send whole UPDATEs."""
        if octets:
            self._report.sent_updates(octets, split_messages(octets))
            self._connection.send(octets)

    def greet(self, messages: list[bytes], again: bool) -> None:
        """Send the first configured OPERATIONAL message if it is an ASM; a session that came back gets ASMs only."""
        if not self._operational:
            return
        repeated = [each for each in messages if Operational.decode(each[19:]).kind == ASM]
        self._greetings = list(repeated if again else messages)
        if repeated:
            self.send(self._greetings.pop(0))

    def release_end_of_rib(self) -> None:
        """End-of-RIB waits for no helper any more, only for what they have announced."""
        if self.outbound.release():
            self._request = next(self._requests)  # the Pull that is out may not be answered for long
            self.pull_again()

    def pull_again(self) -> None:
        """Ask for routes though an answer may be under way: ribd is there, or back, and has lost the question."""
        self._pulling = False
        self.pull()

    def pull(self) -> None:
        """Ask for the next batch, if none is on its way and little waits to be written."""
        if self._pulling or self._connection.queued > LOW_WATER:
            return
        self._request = next(self._requests)
        outbound = self.outbound
        self._pulling = self._to_ribd(
            Pull(
                self._name,
                self._request,
                outbound.lineage,
                # What is sent again is sent route by route, as ExaBGP sends it.
                self._refresh_shape if outbound.refreshing else self._shape,
                outbound.to_wire(),
                BATCH_OCTETS,
            )
        )

    def batch(self, batch: Batch) -> None:
        """Write what ribd sent, and the markers that are due after it."""
        if batch.request != self._request:
            return
        self._pulling = False
        for reason in batch.withheld:
            if reason not in self._withheld:
                self._withheld.add(reason)
                self._log.warning("routes withheld peer=%s reason=%s", self._name, reason)
        self.outbound.advance(batch)
        self.write(batch.octets)
        self._mark()
        self.pull()

    def _mark(self) -> None:
        """Send what was to follow routes that are all out now."""
        for family in self.outbound.take_end_of_rib():
            self.write(end_of_rib(family))
        if self._greetings and self.outbound.complete:
            greetings, self._greetings = self._greetings, []
            for message in greetings:
                self.send(message)
        for family in self.outbound.take_end_of_refresh():
            if self._enhanced_refresh:
                self.send(Refresh(family, RefreshSubtype.END).message())

    def resync(self, message: Resync) -> bool:
        """Ribd does not know what the peer holds: send everything, and have what is left over swept away.

        False where the peer cannot be told to sweep: only a new session helps.
        """
        if message.request != self._request:
            return True
        self._pulling = False
        self._log.warning("table is sent again peer=%s reason=%s", self._name, message.reason)
        if not self._enhanced_refresh:
            return False
        for family in self.outbound.families:
            self.send(Refresh(family, RefreshSubtype.BEGIN).message())
        self.outbound.start_over()
        for cursor in self.outbound.cursors.values():
            cursor.refreshing = True
        self.pull()
        return True

    def resend(self, families: Iterable[Family]) -> None:
        """Send families again; those that were not negotiated are passed over."""
        for family in families:
            if self.outbound.refresh(family) and self._enhanced_refresh:
                self.send(Refresh(family, RefreshSubtype.BEGIN).message())
        self._request = next(self._requests)  # the answer to the Pull that is out is from before: it must not be taken
        self.pull_again()
