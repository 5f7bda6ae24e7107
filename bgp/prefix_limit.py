"""How many routes a peer may announce: a limit for each family, a warning before it, and what follows beyond it."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from msgspec import Struct

from bgp.errors import NotifyError
from bgp.family import Family
from bgp.notification import CEASE, MAXIMUM_PREFIXES

FIRST_IDLE_HOLD, LONGEST_IDLE_HOLD = 60.0, 3600.0  # seconds without a session, where no restart time is set

_DATA = struct.Struct("!HBI")


class PrefixLimit(Struct, frozen=True):
    """The limit of one family. `warning` is the number of routes from which on it is near.

    `teardown`: a peer beyond it loses the session, for `restart` seconds, or a time that doubles where that is None.
    """

    family: Family
    maximum: int
    warning: int
    teardown: bool = True
    restart: int | None = None


class Crossing(Struct, frozen=True):
    """A peer has come near a limit, or gone beyond it, for the first time in a session."""

    limit: PrefixLimit
    count: int

    @property
    def exceeded(self) -> bool:
        """Whether there are more routes than the limit allows."""
        return self.count > self.limit.maximum

    def error(self) -> NotifyError | None:
        """Return the Cease that ends the session (RFC 4486 section 4: AFI, SAFI and the limit); None: it goes on."""
        if not (self.exceeded and self.limit.teardown):
            return None
        afi, safi = self.limit.family
        reason = f"{self.count} routes of {self.limit.family}, at most {self.limit.maximum} expected"
        return NotifyError(CEASE, MAXIMUM_PREFIXES, reason, _DATA.pack(afi, safi, self.limit.maximum))


class PrefixLimits:
    """The limits of one neighbor, and how near it has come to them in the present session."""

    def __init__(self, limits: Iterable[PrefixLimit]) -> None:
        self._limits = {limit.family: limit for limit in limits}
        self._next: dict[Family, int] = {}  # the count at which there is something to say
        self._teardowns = 0  # sessions that followed each other and were all ended by a limit
        self._ended = False
        self.start_over()

    def __bool__(self) -> bool:
        return bool(self._limits)

    def start_over(self) -> None:
        """A session begins: nothing was said yet."""
        if not self._ended:
            self._teardowns = 0
        self._ended = False
        self._next = {family: limit.warning for family, limit in self._limits.items()}

    def check(self, family: Family, count: int) -> Crossing | None:
        """Take the number of routes that there are; return what that crosses, once each in a session."""
        threshold = self._next.get(family)
        if threshold is None or count < threshold:
            return None
        limit = self._limits[family]
        if count > limit.maximum:
            del self._next[family]
        else:
            self._next[family] = limit.maximum + 1
        return Crossing(limit, count)

    def idle_hold(self, limit: PrefixLimit) -> float:
        """Return for how many seconds no session is wanted after the one that this limit ends now."""
        self._ended = True
        if limit.restart is not None:
            return float(limit.restart)
        self._teardowns += 1
        return min(FIRST_IDLE_HOLD * 2.0 ** min(self._teardowns - 1, 16), LONGEST_IDLE_HOLD)
