"""What a session receives: UPDATEs are decoded, kept in the Adj-RIB-In, and reported; a refresh sweeps it."""

from __future__ import annotations

import logging
import time

from bgp.action import Deliver
from bgp.errors import NotifyError
from bgp.event import Failed
from bgp.negotiated import Negotiated
from bgp.prefix_limit import PrefixLimits
from bgp.refresh import Refresh, RefreshSubtype
from bgp.update import Update, UpdateDecoder
from bus.settings import SessionConfiguration
from peerd.adj_rib_in import AdjRibIn
from peerd.report import Report

LOG_PERIOD = 1.0  # seconds in which one malformed message is logged whole: a peer sends as many as it likes


class Receiver:
    """The incoming half of one established session."""

    def __init__(
        self,
        negotiated: Negotiated,
        configuration: SessionConfiguration,
        adj_rib_in: AdjRibIn,
        limits: PrefixLimits,
        report: Report,
        log: logging.Logger,
    ) -> None:
        self._decode = UpdateDecoder(negotiated).decode
        self._name = configuration.name
        self._limits, self._idle_hold = limits, 0.0
        self._keep = configuration.adj_rib_in or bool(limits)  # what is not kept cannot be counted
        limits.start_over()
        # Families whose End-of-RIB is to come.
        self._awaited = set(negotiated.families) if negotiated.graceful_restart else set()
        self._adj_rib_in, self._report, self._log = adj_rib_in, report, log
        self._next_whole = 0.0

    def take(self, delivery: Deliver) -> Failed | None:
        """Take UPDATEs; return why the session must end, if it must."""
        now, decode, keep, limited = time.time(), self._decode, self._keep, bool(self._limits)
        self._idle_hold = 0.0
        good: list[tuple[bytes, bool]] = []
        failure = None
        for message in delivery.messages:
            try:
                update = decode(message[19:])
            except NotifyError as error:
                failure = error
                self._malformed("UPDATE refused", str(error), message)
                break
            if keep:
                self._adj_rib_in.take(update)
            if limited and (failure := self._count(update)) is not None:
                self._log.warning("UPDATE refused peer=%s error=%s", self._name, failure)
                break
            if update.eor is not None:
                self._awaited.discard(update.eor)
            if update.error is not None:
                self._malformed("routes treated as withdrawn", update.error, message)
            elif update.discarded:
                self._malformed("attributes discarded", "; ".join(update.discarded), message)
            good.append((message, update.plain))
        self._report.received_updates(good, now)
        if failure is not None:
            return Failed(delivery.connection, failure, self._idle_hold)
        return None

    def _malformed(self, what: str, reason: str, message: bytes) -> None:
        """Log an error, and the message with its routes and all else (RFC 7606 section 6)."""
        now, octets = time.monotonic(), "-"
        if now >= self._next_whole:
            self._next_whole, octets = now + LOG_PERIOD, message.hex()
        self._log.warning("%s peer=%s reason=%s message=%s", what, self._name, reason, octets)

    def refresh(self, refresh: Refresh) -> None:
        """Take the beginning or the end of a refresh: what does not come between them is gone (RFC 7313 section 4).

        Of a graceful peer, beginnings before its End-of-RIB are ignored.
        """
        if refresh.subtype == RefreshSubtype.END:
            taken = self._adj_rib_in.end_refresh(refresh.family)
        else:
            taken = refresh.family not in self._awaited
            if taken:
                self._adj_rib_in.begin_refresh(refresh.family)
        if not taken:
            name, family, kind = self._name, refresh.family, refresh.subtype_name
            self._log.warning("refresh ignored peer=%s family=%s subtype=%s", name, family, kind)

    def _count(self, update: Update) -> NotifyError | None:
        """Check whether the peer has come near one of its limits, or exceeded it."""
        for reach in update.announced:
            crossing = self._limits.check(reach.family, self._adj_rib_in.count(reach.family))
            if crossing is None:
                continue
            error = crossing.error()
            if error is not None:
                self._idle_hold = self._limits.idle_hold(crossing.limit)
            self._log.warning(
                "many routes received peer=%s family=%s count=%d maximum=%d idle_hold=%g",
                self._name,
                reach.family,
                crossing.count,
                crossing.limit.maximum,
                self._idle_hold,
            )
            self._report.limit(crossing)
            if error is not None:
                return error
        return None
