"""Wait for time, signals and file descriptors in one place."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable

READ, WRITE = select.POLLIN, select.POLLOUT
LONGEST_SLEEP = 3600.0  # seconds; poll takes no more than 2^31 ms
GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL  # poll always tells these


class Waiter:
    """The only thing that sleeps. Handlers get the poll(2) events of their descriptor."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        # Without a descriptor that signals write to, poll would go on sleeping after one (PEP 475).
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self.watch(self._woken, READ, lambda _: self._drain())
        self.on_signal(signal.SIGCHLD, lambda: None)

    def on_signal(self, number: int, handler: Callable[[], None]) -> None:
        """Call `handler` at a signal."""
        signal.signal(number, lambda _number, _frame: handler())

    def watch(self, descriptor: int, events: int, handler: Callable[[int], None]) -> None:
        """Call `handler` when the descriptor is ready; a second call replaces the first."""
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no more; call it before closing it."""
        if self._handlers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def wait(self, until: float, done: Callable[[], bool]) -> bool:
        """Serve descriptors until `done()`, or until that time; return what `done()` says."""
        while not done():
            left = until - self.now()
            if left <= 0:
                return False
            # Rounded up: a sleep that ends a moment early would spin.
            for descriptor, events in self._poll.poll(int(min(left, LONGEST_SLEEP) * 1000) + 1):
                if handler := self._handlers.get(descriptor):
                    handler(events)
        return True

    def _drain(self) -> None:
        try:
            os.read(self._woken, 4096)
        except BlockingIOError:
            return
