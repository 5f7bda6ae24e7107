"""What a session has been sent of its table: cursors, and the markers that follow the last route.

Each family has a cursor: the version sent last (`position`) and the version up to which withdrawals mean nothing to
the peer (`floor`). Initial table and route refresh are the same thing: the position goes to 0, the floor to where the
peer stands, and when the position has reached the floor, End-of-RIB or End-of-RR is due.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bgp.family import Family
from bus.schema import UNKNOWN_FLOOR, WHERE, Batch


@dataclass(slots=True)
class Cursor:
    """Where a session stands in one family."""

    position: int = 0
    floor: int = UNKNOWN_FLOOR
    mark: int = 0  # End-of-RIB waits for this version too
    refreshing: bool = False  # End-of-RR (RFC 7313) is due at the floor

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at the start has been sent."""
        return self.floor != UNKNOWN_FLOOR and self.position >= self.floor


@dataclass(slots=True)
class Outbound:
    """The cursors of one session.

    While they are `held`, End-of-RIB waits for routes that are still to be announced; when it is released, whatever
    there is then goes out first.
    """

    families: tuple[Family, ...]
    lineage: str = ""
    end_of_rib_due: bool = True
    held: bool = False
    unmarked: bool = False  # released, and where the table stood then is not known yet
    cursors: dict[Family, Cursor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Forget what was sent: all is to be sent (again)."""
        self.lineage = ""
        self.cursors = {family: Cursor() for family in self.families}

    def refresh(self, family: Family) -> bool:
        """Send a family again; False where it is not carried."""
        cursor = self.cursors.get(family)
        if cursor is None:
            return False
        if cursor.floor != UNKNOWN_FLOOR:
            cursor.floor = max(cursor.position, cursor.floor)
        cursor.position = 0
        cursor.refreshing = True
        return True

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at the start has been sent, in every family."""
        return all(cursor.caught_up for cursor in self.cursors.values())

    @property
    def complete(self) -> bool:
        """Whether End-of-RIB may follow: what was there at the start is out, and what came while it was held."""
        reached = all(cursor.position >= cursor.mark for cursor in self.cursors.values())
        return self.caught_up and reached and not self.held and not self.unmarked

    @property
    def refreshing(self) -> bool:
        """Whether a family is being sent again, and not all of it has been."""
        return any(cursor.refreshing and not cursor.caught_up for cursor in self.cursors.values())

    def release(self) -> bool:
        """Hold End-of-RIB no longer; return whether to ask at once: the Pull that is out may stay unanswered."""
        if not self.held:
            return False
        self.held = False
        self.unmarked = self.end_of_rib_due
        return self.asks

    @property
    def asks(self) -> bool:
        """Whether the next Pull asks where the table stands: past its floors, when all of the start is out."""
        return self.unmarked and self.caught_up

    def to_wire(self) -> list[list[int]]:
        """Return the cursors as `Pull` carries them."""
        asks = self.asks
        return [[*family, cursor.position, WHERE if asks else cursor.floor] for family, cursor in self.cursors.items()]

    def advance(self, batch: Batch) -> None:
        """Take the cursors of a batch that was written."""
        self.lineage = batch.lineage
        asked = self.asks
        for afi, safi, position, floor in batch.cursors:
            cursor = self.cursors[Family(afi, safi)]
            if asked:
                cursor.mark = floor
            else:
                cursor.position, cursor.floor = position, floor
        self.unmarked = self.unmarked and not asked

    def take_end_of_rib(self) -> list[Family]:
        """Return the families whose End-of-RIB is due now: all together, once every family is out."""
        if not self.end_of_rib_due or not self.complete:
            return []
        self.end_of_rib_due = False
        return list(self.cursors)

    def take_end_of_refresh(self) -> list[Family]:
        """Return the families that have been sent again: all together, once each is out, as ExaBGP has it."""
        if self.refreshing:
            return []
        done = [family for family, cursor in self.cursors.items() if cursor.refreshing]
        for family in done:
            self.cursors[family].refreshing = False
        return done
