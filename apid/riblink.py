"""The way to ribd: batches of changes, numbered, a few at a time, repeated until they are acknowledged.

A batch is answered exactly once, whatever happens to ribd meanwhile: it is kept until its acknowledgement comes and
sent again at every reconnection, and ribd knows by its number whether it has carried it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bus.schema import MESSAGE_LIMIT, Applied, Apply, Clear, Enrol, Message, Refused, Sync
from bus.transport import UnfitMessage

WINDOW = 4  # batches on the way: enough to keep ribd busy while we parse, few enough to bound what waits
IN_FLIGHT = 256  # requests sent and not answered; the socket's own queue is finite, and what it refuses is not sent

MOST_OCTETS = MESSAGE_LIMIT - 1024 * 1024  # of routes and neighbors in one request: it must fit the bus
ITEM_OVERHEAD = 5  # octets that stand before an item, a name or an attribute set there, at most

Done = Callable[[str], None]  # called with an empty string, or the reason of a refusal


def octets_of_names(names: Sequence[str]) -> int:
    """Return how much room neighbors take in a request, at most."""
    return sum(map(len, names)) + ITEM_OVERHEAD * (len(names) + 1)


def octets_of_routes(attributes: bytes, items: Sequence[bytes]) -> int:
    """Return how much room a change of routes takes in a request, at most."""
    return len(attributes) + sum(map(len, items)) + ITEM_OVERHEAD * (len(items) + 5)


class RibLink:
    """Requests of one client on their way to ribd, in order."""

    def __init__(self, client: str, epoch: str, send: Callable[[Message], bool]) -> None:
        self._client, self._epoch = client, epoch
        self._send = send
        self._sequence = 0
        self._sent = 0  # all up to this number have been sent
        self._outstanding: dict[int, tuple[Message, Done]] = {}

    @property
    def full(self) -> bool:
        """Whether to wait before the next request."""
        return len(self._outstanding) >= WINDOW

    @property
    def idle(self) -> bool:
        """Whether everything is answered."""
        return not self._outstanding

    def apply(
        self, targets: list[list[str]], changes: list[list[object]], done: Done, after_configuration: bool = False
    ) -> None:
        """Send changes; `after_configuration` where what is configured is to come first."""
        self._submit(Apply(self._client, self._epoch, self._next(), targets, changes, after_configuration), done)

    def enrol(self, neighbors: list[str], flow_limits: dict[str, int], forgetful: list[str], done: Done) -> None:
        """Say which neighbors exist, how many FlowSpec rules some may have at most, and whose routes are not kept."""
        self._submit(Enrol(self._client, self._epoch, self._next(), neighbors, flow_limits, forgetful), done)

    def clear(self, neighbors: list[str], done: Done) -> None:
        """Withdraw everything from neighbors."""
        self._submit(Clear(self._client, self._epoch, self._next(), neighbors), done)

    def sync(self, neighbors: list[str], seconds: float, done: Done) -> None:
        """Ask whether sessions have written what they are to be sent; it is answered when they have, or too late."""
        self._submit(Sync(self._client, self._epoch, self._next(), neighbors, seconds), done)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _submit(self, request: Apply | Enrol | Clear | Sync, done: Done) -> None:
        self._outstanding[request.sequence] = (request, done)
        self._send_more()

    def _send_more(self) -> None:
        unsent = self._sequence - self._sent
        while unsent and len(self._outstanding) - unsent < IN_FLIGHT:
            self._sent += 1
            unsent -= 1
            self._say(self._sent)

    def connected(self) -> None:
        """Repeat what was not answered: ribd is back, or there for the first time."""
        for sequence in [each for each in self._outstanding if each <= self._sent]:
            self._say(sequence)
        self._send_more()

    def _say(self, sequence: int) -> None:
        """Send a request; one that can never be sent is refused here, and one that does nothing takes its number."""
        request, done = self._outstanding[sequence]
        try:
            self._send(request)
        except UnfitMessage as error:
            nothing = Sync(self._client, self._epoch, sequence, [], 0.0)
            self._outstanding[sequence] = nothing, lambda _reason: None
            self._send(nothing)
            done(str(error))

    def answered(self, message: Applied | Refused) -> None:
        """Take an answer; one that is not expected (to a repetition, or a former life) is ignored.

        An answer without an epoch comes from a former release of ribd.
        """
        if message.epoch not in ("", self._epoch):
            return
        entry = self._outstanding.pop(message.sequence, None)
        if entry is not None:
            self._send_more()
            entry[1](message.reason if isinstance(message, Refused) else "")
