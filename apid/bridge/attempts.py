"""What a helper waits for at its start: that every session of its neighbors has its routes, or has failed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.schema import FEED_TRIED, Feed, Message, Subscribe
from bus.settings import ApiBinding
from bus.transport import Client


class FirstAttempts:
    """The sessions that are waited for. Ranges are not: nobody knows who will connect."""

    def __init__(
        self,
        loop: Loop,
        run: RunDirectory,
        bindings: Iterable[ApiBinding],
        over: Callable[[], None],
        bad: Callable[[str], None],
    ) -> None:
        """Take whom to call, once, when it is over."""
        self._loop, self._over = loop, over
        self._missing = {each.neighbor: each.program for each in bindings if "/" not in each.peer_address}
        self._clients = {
            program: Client(loop, run.peerd(program), self._message, partial(self._ask, program), bad)
            for program in set(self._missing.values())
        }

    def wait(self, seconds: float) -> None:
        """End after so many seconds at the latest; at once if there is nobody to wait for."""
        if self._missing:
            self._loop.call_later(seconds, self._end)
        else:
            self._end()

    def _ask(self, program: str) -> None:
        for neighbor in [name for name, of in self._missing.items() if of == program]:
            self._clients[program].send(Subscribe(neighbor, "", 1 << FEED_TRIED, 0, 0, 0))

    def _message(self, message: Message) -> None:
        if isinstance(message, Feed) and message.neighbor in self._missing:
            del self._missing[message.neighbor]
            if not self._missing:
                self._loop.call_soon(self._end)

    def _end(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()
        self._missing = {}
        self._over()
