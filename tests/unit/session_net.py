"""Two peers joined in memory: a network without sockets or time, whose order of events a test chooses."""

from __future__ import annotations

from collections import deque

from msgspec import Struct, field

from bgp.action import Accept, Action, Close, Dial, Down, Send, Up
from bgp.event import Closed, Connected, ConnectFailed, Incoming, PeerEvent, Received, Start, Tick
from bgp.peer import Peer

ADDRESSES = (bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2)))


class End(Struct):
    """One end of a TCP connection: who holds it, and what travels to it, numbered; None is the end of it."""

    side: int
    handle: int
    open: bool = True
    queue: deque[tuple[int, bytes | None]] = field(default_factory=deque)


class Net:
    """Carry out the actions of two peers; `pending` lists what may happen next, `step` lets it happen.

    Octets of one direction stay in order; everything else may overtake. `up` counts sessions by side.
    """

    def __init__(self, one: Peer, two: Peer) -> None:
        self.peers = (one, two)
        self.now = 0.0
        self.dials: deque[tuple[int, int]] = deque()
        self.links: list[tuple[End, End]] = []
        self.log: list[tuple[int, Action]] = []
        self.reachable = True

    def start(self) -> None:
        """Start both peers."""
        for side in (0, 1):
            self.give(side, Start())

    def give(self, side: int, event: PeerEvent) -> None:
        """Hand an event to a peer and carry out what it answers."""
        before = len(self.log)
        actions = self.peers[side].handle(event, self.now)
        self.log += [(side, action) for action in actions]
        assert len(self.log) - before == len(actions)
        for action in actions:
            self._carry_out(side, action)

    def _carry_out(self, side: int, action: Action) -> None:
        match action:
            case Dial(connection=handle):
                self.dials.append((side, handle))
            case Accept(connection=handle):
                self.links[-1][1].handle = handle
            case Send(connection=handle, octets=octets):
                mine, other = self._ends(side, handle)
                assert mine.open
                other.queue.append((len(self.log), octets))
            case Close(connection=handle):
                if (side, handle) in self.dials:
                    self.dials.remove((side, handle))
                    return
                mine, other = self._ends(side, handle)
                mine.open = False
                mine.queue.clear()
                other.queue.append((len(self.log), None))

    def _ends(self, side: int, handle: int) -> tuple[End, End]:
        for ends in self.links:
            for mine, other in (ends, ends[::-1]):
                if (mine.side, mine.handle) == (side, handle):
                    return mine, other
        raise AssertionError(f"side {side} has no connection {handle}")

    def pending(self) -> list[tuple[str, int]]:
        """List what may happen now: a dial that is answered, octets that arrive."""
        found = [("dial", index) for index in range(len(self.dials))]
        ends = [end for link in self.links for end in link]
        return found + [("octets", index) for index, end in enumerate(ends) if end.open and end.queue]

    def step(self, what: str, index: int) -> None:
        """Let one thing of `pending` happen."""
        if what == "dial":
            side, handle = self.dials[index]
            if not self.reachable:
                self.give(side, ConnectFailed(handle, "refused"))
                return
            del self.dials[index]
            self.links.append((End(side, handle), End(1 - side, -1)))
            self.give(1 - side, Incoming(ADDRESSES[1 - side], ADDRESSES[side]))
            if self._ends(side, handle)[0].open:
                self.give(side, Connected(handle, ADDRESSES[side], ADDRESSES[1 - side]))
            return
        end = [end for link in self.links for end in link][index]
        _, octets = end.queue.popleft()
        self.give(end.side, Closed(end.handle) if octets is None else Received(end.handle, octets))

    def _age(self, candidate: tuple[str, int]) -> tuple[int, int]:
        what, index = candidate
        if what == "dial":
            return -1, index
        end = [end for link in self.links for end in link][index]
        return end.queue[0][0], index

    def settle(self) -> None:
        """Let everything happen without the clock: dials first, then octets in the order they were sent."""
        for _ in range(1000):
            pending = self.pending()
            if not pending:
                return
            self.step(*min(pending, key=self._age))
        raise AssertionError("the two peers never come to rest")

    def wait(self, seconds: float) -> None:
        """Let time pass, deadline by deadline, and all that follows from it."""
        end = self.now + seconds
        for _ in range(10000):
            deadlines = [(peer.deadline(), side) for side, peer in enumerate(self.peers)]
            due = [(deadline, side) for deadline, side in deadlines if deadline is not None and deadline <= end]
            if not due:
                self.now = end
                return
            deadline, side = min(due)
            self.now = max(self.now, deadline)
            self.give(side, Tick())
            self.settle()
        raise AssertionError("deadlines never end")

    def established(self) -> tuple[bool, bool]:
        """Tell which side has a session."""
        return self.peers[0].established is not None, self.peers[1].established is not None

    def ups(self, side: int) -> list[Up]:
        """List the sessions of a side, past ones too."""
        return [action for which, action in self.log if which == side and isinstance(action, Up)]

    def downs(self, side: int) -> list[str]:
        """List why connections of a side ended."""
        return [action.reason for which, action in self.log if which == side and isinstance(action, Down)]

    def notifications(self, side: int) -> list[tuple[int, int]]:
        """List the NOTIFICATIONs that a side sent."""
        return [
            (action.octets[19], action.octets[20])
            for which, action in self.log
            if which == side and isinstance(action, Send) and action.octets[18] == 3
        ]
