"""The numbers of requests: a client counts from 1 without a gap, and may repeat what it has said."""

from __future__ import annotations

from typing import Protocol


class Numbered(Protocol):
    """A request that is numbered among those of its client."""

    @property
    def client(self) -> str:
        """Who asks."""

    @property
    def epoch(self) -> str:
        """Which life of it."""

    @property
    def sequence(self) -> int:
        """The number."""


class Turns:
    """The highest number that each client has used in our life.

    Those used before our life are not all known, because refused requests are not journalled: the first number that
    we hear of a client's life may be any.
    """

    def __init__(self) -> None:
        self._heard: dict[str, tuple[str, int]] = {}

    def fault(self, request: Numbered) -> str:
        """Take a request's number; return why it cannot be one, or nothing."""
        if request.sequence < 1:
            return f"request {request.sequence} of {request.client:.40}: numbers begin with 1"
        epoch, highest = self._heard.get(request.client, ("", 0))
        if epoch == request.epoch and request.sequence > highest + 1:
            return f"request {request.sequence} of {request.client:.40} comes after {highest}: {highest + 1} expected"
        if epoch != request.epoch or request.sequence > highest:
            self._heard[request.client] = request.epoch, request.sequence
        return ""
