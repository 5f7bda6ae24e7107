"""What a session has been sent of its table: cursors, and the markers that follow the last route.

Each family has a cursor: the version sent last (`position`) and the version up to which withdrawals mean nothing to
the peer (`floor`). Initial table and route refresh are the same thing: the position goes to 0, the floor to where the
peer stands, and when the position has reached the floor, End-of-RIB or End-of-RR is due.

A route that changed meanwhile has moved above the floor. So at the floor, ribd is asked to say where the table stands
and to send what there is up to there: the markers follow the answer that has it all (RFC 7313 section 4).
"""

from __future__ import annotations

from msgspec import Struct

from bgp.family import Family
from bus.schema import UNKNOWN_FLOOR, WHERE, Batch

LAPS = 8  # answers at most that may fail to have it all: changes may come faster for ever than the peer takes them


class Cursor(Struct):
    """Where a session stands in one family."""

    position: int = 0
    floor: int = UNKNOWN_FLOOR
    mark: int = 0  # where the table stood when ribd was asked: the markers wait for this version too
    refreshing: bool = False  # End-of-RR (RFC 7313) is due

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at the start has been sent."""
        return self.floor != UNKNOWN_FLOOR and self.position >= self.floor

    @property
    def reached(self) -> bool:
        """Whether what had changed meanwhile has been sent, too."""
        return self.caught_up and self.position >= self.mark


class Outbound:
    """The cursors of one session.

    While they are `held`, End-of-RIB waits for routes that are still to be announced; when it is released, whatever
    there is then goes out first.
    """

    def __init__(
        self, families: tuple[Family, ...], lineage: str = "", end_of_rib_due: bool = True, held: bool = False
    ) -> None:
        self.families, self.lineage = families, lineage
        self.end_of_rib_due, self.held = end_of_rib_due, held
        # How often ribd may yet be asked where the table stands; 0: no marker waits for it.
        self.laps = LAPS if end_of_rib_due else 0
        self.cursors = {family: Cursor() for family in families}

    def start_over(self) -> None:
        """Forget what was sent: all is to be sent again."""
        self.lineage = ""
        self.laps = LAPS
        self.cursors = {family: Cursor(refreshing=True) for family in self.families}

    def refresh(self, family: Family) -> bool:
        """Send a family again; False where it is not carried, or about to be sent again from its start anyway."""
        cursor = self.cursors.get(family)
        if cursor is None or (cursor.refreshing and cursor.position == 0):
            return False
        if cursor.floor != UNKNOWN_FLOOR:
            cursor.floor = max(cursor.position, cursor.floor)
        cursor.position = 0
        cursor.refreshing = True
        self.laps = LAPS
        return True

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at the start has been sent, in every family."""
        return all(cursor.caught_up for cursor in self.cursors.values())

    @property
    def _reached(self) -> bool:
        return all(cursor.reached for cursor in self.cursors.values())

    @property
    def complete(self) -> bool:
        """Whether the markers may follow: all is out, with what came while End-of-RIB was held or routes were sent."""
        return self._reached and not self.held and not self.laps

    @property
    def refreshing(self) -> bool:
        """Whether a family is being sent again, and not all of it has been."""
        return any(cursor.refreshing and not cursor.caught_up for cursor in self.cursors.values())

    def release(self) -> bool:
        """Hold End-of-RIB no longer; return whether to ask at once: the Pull that is out may stay unanswered."""
        if not self.held:
            return False
        self.held = False
        return self.asks

    @property
    def asks(self) -> bool:
        """Whether the next Pull asks where the table stands: a marker is due, and as far as is known all is out."""
        return self.laps > 0 and self._reached and not self.held

    def to_wire(self) -> list[list[int]]:
        """Return the cursors as `Pull` carries them."""
        asks = self.asks
        return [[*family, cursor.position, WHERE if asks else cursor.floor] for family, cursor in self.cursors.items()]

    def advance(self, batch: Batch) -> None:
        """Take the cursors of a batch that was written."""
        self.lineage = batch.lineage
        asked = self.asks
        begins = all(cursor.floor == UNKNOWN_FLOOR for cursor in self.cursors.values())
        for afi, safi, position, floor in batch.cursors:
            cursor = self.cursors[Family(afi, safi)]
            cursor.position = position
            if asked:
                cursor.mark = floor
            else:
                cursor.floor = floor
        # The floors of the first answer are where the table stands, too.
        if (asked or (begins and not self.held)) and self._reached:
            self.laps = 0
        elif asked:
            self.laps -= 1

    def take_end_of_rib(self) -> list[Family]:
        """Return the families whose End-of-RIB is due now: all together, once every family is out."""
        if not self.end_of_rib_due or not self.complete:
            return []
        self.end_of_rib_due = False
        return list(self.cursors)

    def take_end_of_refresh(self) -> list[Family]:
        """Return the families that have been sent again: all together, once each is out, as ExaBGP has it."""
        if not self.complete:
            return []
        done = [family for family, cursor in self.cursors.items() if cursor.refreshing]
        for family in done:
            self.cursors[family].refreshing = False
        return done
