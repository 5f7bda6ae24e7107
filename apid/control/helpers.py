"""The bridges that are connected, and what they last said about their helpers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apid.control.jobs import Step
from bus.loop import Loop
from bus.schema import Message, Present, Reconfigure, SchemaError

SECONDS = 0.5  # for bridges to say how they are


class Helpers:
    """Bridges by helper name."""

    def __init__(self, loop: Loop, send: Callable[[bytes, Message], bool]) -> None:
        self._loop, self._send = loop, send
        self._identities: dict[str, bytes] = {}
        self._waiting: list[Callable[[str], None]] = []  # those who are told which bridge has said how it is
        self.states: dict[str, dict[str, Any]] = {}

    def present(self, identity: bytes, message: Present) -> None:
        """Take what a bridge says; one that is new may have read its settings before they changed last."""
        if any(type(value) not in (int, float) or not 0 <= value < 1 << 63 for value in message.state.values()):
            raise SchemaError(f"Present of {message.helper!r:.60}: the state of a helper is counts")
        name = message.helper
        if self._identities.get(name) != identity:
            self._identities[name] = identity
            self._send(identity, Reconfigure("connected"))
        self.states[name] = message.state
        for told in [*self._waiting]:
            told(name)

    def tell(self, message: Message) -> None:
        """Send a message to every bridge: its settings have changed, the daemon got a signal."""
        for name, identity in list(self._identities.items()):
            if not self._send(identity, message):
                self._forget(name)

    def _forget(self, name: str) -> None:
        self._identities.pop(name, None)
        self.states.pop(name, None)

    def refreshed(self) -> Step:
        """Make the step that waits until every bridge has said how it is, or time is up; its result is the states."""

        def step(resume: Callable[[Any], None]) -> None:
            missing = set(self._identities)

            def finish() -> None:
                timer.cancel()
                self._waiting.remove(told)
                resume(self.states)

            def told(name: str) -> None:
                if name in missing:
                    missing.discard(name)
                    if not missing:
                        finish()

            timer = self._loop.call_later(SECONDS, finish)
            self._waiting.append(told)
            for name, identity in list(self._identities.items()):
                if not self._send(identity, Present(name, "", {})):
                    self._forget(name)
                    missing.discard(name)
            if not missing:
                finish()

        return step
