"""The end of leases: their routes are withdrawn by requests like any client's, which are journalled likewise."""

from __future__ import annotations

from collections.abc import Callable

from bgp.family import Family
from bus.loop import Loop
from bus.schema import WITHDRAW, Apply
from ribd.lease import CLIENT
from ribd.rib import Rib
from ribd.table import Table

LOOK = 0.5  # seconds between looks at leases, while there are any
LAPSED_OCTETS = 256 * 1024  # of routes withdrawn by one request: it must fit the journal


class Lapses:
    """Looks at the leases of a RIB. `submit` takes a request, `commit` carries out all that were taken."""

    def __init__(
        self, loop: Loop, rib: Rib, epoch: str, submit: Callable[[Apply], None], commit: Callable[[], None]
    ) -> None:
        self._loop, self._rib, self._epoch = loop, rib, epoch
        self._submit, self._commit = submit, commit
        self._sequence = 0
        self._looking = False

    def look_later(self) -> None:
        """Look in a moment, if there are any leases."""
        if not self._looking and self._rib.has_leases():
            self._looking = True
            self._loop.call_later(LOOK, self._look)

    def _look(self) -> None:
        """Withdraw the routes whose lease is over."""
        self._looking = False
        self._commit()  # a renewal that has come is in time
        now = self._loop.now()
        for table in self._rib.tables():
            for family, routes in table.families.items():
                items, size = [], 0
                for item in routes.lapsed(now):
                    items.append(item)
                    size += len(item)
                    if size > LAPSED_OCTETS:
                        self._withdraw(table, family, items)
                        items, size = [], 0
                if items:
                    self._withdraw(table, family, items)
        self._commit()
        self.look_later()

    def _withdraw(self, table: Table, family: Family, items: list[bytes]) -> None:
        self._sequence += 1
        names = sorted(table.members)
        self._submit(Apply(CLIENT, self._epoch, self._sequence, [names], [[0, WITHDRAW, *family, b"", items]]))
