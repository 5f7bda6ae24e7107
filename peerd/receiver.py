"""What a session receives: UPDATEs are decoded, kept in the Adj-RIB-In, and told of."""

from __future__ import annotations

import logging
import time

from bgp.errors import NotifyError
from bgp.negotiated import Negotiated
from bgp.update import UpdateDecoder
from bus.settings import SessionConfiguration
from peerd.adj_rib_in import AdjRibIn
from peerd.report import Report


class Receiver:
    """The incoming half of one established session."""

    def __init__(
        self,
        negotiated: Negotiated,
        configuration: SessionConfiguration,
        adj_rib_in: AdjRibIn,
        report: Report,
        log: logging.Logger,
    ) -> None:
        self._decode = UpdateDecoder(negotiated).decode
        self._name, self._keep = configuration.name, configuration.adj_rib_in
        self._adj_rib_in, self._report, self._log = adj_rib_in, report, log

    def take(self, messages: list[bytes]) -> NotifyError | None:
        """Take UPDATEs, whole messages; return the error for which the session must end, if there is one."""
        now, decode, keep = time.time(), self._decode, self._keep
        good, failure = [], None
        for message in messages:
            try:
                update = decode(message[19:])
            except NotifyError as error:
                failure = error
                break
            if keep:
                self._adj_rib_in.take(update)
            if update.error is not None:
                self._log.warning("routes treated as withdrawn peer=%s reason=%s", self._name, update.error)
            good.append(message)
        self._report.received_updates(good, now)
        if failure is not None:
            self._log.warning("UPDATE refused peer=%s error=%s", self._name, failure)
        return failure
