"""Decide from the results of checks what to announce: events in, actions out, the next check's time as data."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import Enum, StrEnum

from msgspec import Struct


class State(StrEnum):
    """What is known of the service; hooks read these words in $STATE."""

    INIT = "INIT"
    RISING = "RISING"
    UP = "UP"
    FALLING = "FALLING"
    DOWN = "DOWN"
    DISABLED = "DISABLED"
    EXIT = "EXIT"
    END = "END"


SETTLED = frozenset({State.UP, State.DOWN, State.DISABLED})
FINAL = frozenset({State.EXIT, State.END})


class Event(Enum):
    """What happened."""

    PASSED = "the check passed"
    FAILED = "the check failed"
    DISABLED = "the disable file is there"
    REFUSED = "what was printed last is not in force: print it again after the next check"
    AGAIN = "somebody asks to print it again now"
    STOP = "we are told to end"


class Changed(Struct, frozen=True):
    """Report a change of state."""

    old: State
    new: State


class RunHooks(Struct, frozen=True):
    """Run the hooks of a state."""

    state: State


class SetUpAddresses(Struct, frozen=True):
    """Put the addresses on their interfaces; where that fails, `Announce` must not follow but `Event.REFUSED`."""


class Announce(Struct, frozen=True):
    """Print the lines of a state."""

    state: State


class TakeDownAddresses(Struct, frozen=True):
    """Wait until what was printed is answered, then take the addresses away."""


class Held(Struct, frozen=True):
    """Report that the service may not come up before a time, because it changed too often."""

    until: float


class Finish(Struct, frozen=True):
    """End the program."""


Action = Changed | RunHooks | SetUpAddresses | Announce | TakeDownAddresses | Held | Finish


class Settings(Struct, frozen=True):
    """How the machine decides; times in seconds.

    An interval of 0 ends it after the first announcement. At most `max_changes` (0: any number) changes of what is
    announced are begun in any `period`.
    """

    rise: int = 3
    fall: int = 3
    interval: float = 5.0
    fast_interval: float = 1.0
    repeat: bool = False
    dynamic_addresses: bool = False
    max_changes: int = 0
    period: float = 0.0


class Machine:
    """The state of one service. `next_check` is when to look at it again; `finished` is the end."""

    def __init__(self, settings: Settings, now: float) -> None:
        self._settings = settings
        self.state = State.INIT
        self.announced: State | None = None
        self.next_check = now
        self._streak = 0
        self._in_force = True
        self._held = False
        self._changes: deque[float] = deque(maxlen=settings.max_changes or 1)

    @property
    def finished(self) -> bool:
        """Whether nothing will happen any more."""
        return self.state in FINAL

    def handle(self, event: Event, now: float) -> list[Action]:
        """Return what to do, in this order. Total over every state and event."""
        if self.finished:
            return []
        match event:
            case Event.STOP:
                return [*self._become(State.EXIT), Announce(State.EXIT), TakeDownAddresses(), Finish()]
            case Event.REFUSED:
                self._in_force = False
                return []
            case Event.AGAIN:
                return list(self._announce(self.announced)) if self.announced else []
            case Event.DISABLED:
                actions = self._become(State.DISABLED)
            case Event.PASSED:
                actions = [*self._leave_disabled(), *self._count(State.RISING, State.UP, self._settings.rise, now)]
            case Event.FAILED:
                actions = [*self._leave_disabled(), *self._count(State.FALLING, State.DOWN, self._settings.fall, now)]
        return self._settle(actions, now)

    def _become(self, state: State) -> list[Action]:
        if state is self.state:
            return []
        old, self.state = self.state, state
        self._streak, self._held = 0, False
        return [Changed(old, state)]

    def _leave_disabled(self) -> list[Action]:
        return self._become(State.INIT) if self.state is State.DISABLED else []

    def _count(self, toward: State, goal: State, needed: int, now: float) -> list[Action]:
        """Count one more result in a row; the one that reaches `needed` reaches the goal."""
        if self.state is goal:
            return []
        if self.state is not toward and needed > 1:
            actions = self._become(toward)
        else:
            actions = []
        self._streak += 1
        if self._streak < needed:
            return actions
        # Only the way up waits: a service that is down must never be kept announced.
        if goal is State.UP and (until := self._change_allowed()) > now:
            actions += self._become(toward)
            if not self._held:
                self._held = True
                actions.append(Held(until))
            return actions
        return [*actions, *self._become(goal)]

    def _change_allowed(self) -> float:
        """Return since when the service may come up."""
        limit = self._settings.max_changes
        if not limit or self.announced in (None, State.UP) or len(self._changes) < limit:
            return 0.0
        return self._changes[0] + self._settings.period

    def _settle(self, actions: list[Action], now: float) -> list[Action]:
        """Add the hooks of new states and what is to be printed; set the time of the next check."""
        state, settings = self.state, self._settings
        entered = [action.new for action in actions if isinstance(action, Changed)]
        hooks: list[Action] = [RunHooks(new) for new in entered]
        if state not in SETTLED:
            self.next_check = now + settings.fast_interval
            return [*actions, *hooks]
        announcement: list[Action] = []
        if settings.repeat or not self._in_force or self.announced is not state:
            if self.announced is not state:
                self._changes.append(now)
            announcement = list(self._announce(state))
        self.next_check = now + settings.interval
        # A hook may prepare a service for its traffic, but must not keep traffic on a service that is down.
        actions += [*hooks, *announcement] if state is State.UP else [*announcement, *hooks]
        if settings.interval <= 0:
            actions += [*self._become(State.END), Finish()]
        return actions

    def _announce(self, state: State) -> Iterator[Action]:
        self.announced, self._in_force = state, True
        dynamic = self._settings.dynamic_addresses
        if dynamic and state is State.UP:
            yield SetUpAddresses()
        yield Announce(state)
        if dynamic and state is not State.UP:
            yield TakeDownAddresses()
