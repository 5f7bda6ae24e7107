"""What a session says in its log of malformed UPDATEs (RFC 7606 section 6)."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from bgp.action import Deliver
from bgp.message import MessageType, build
from bgp.negotiated import Negotiated
from bgp.prefix_limit import PrefixLimits
from peerd import receiver
from peerd.adj_rib_in import AdjRibIn
from peerd.receiver import LOG_PERIOD, Receiver

MANDATORY = "40010100" + "40020602010000fdea" + "4003040a000002"
WITHDRAWN = "800400"  # MULTI_EXIT_DISC of 0 octets
DISCARDED = "c00700"  # AGGREGATOR of 0 octets


def update(attribute: str, routes: str = "180a0101") -> bytes:
    """Build an UPDATE with one attribute more than it needs."""
    octets = bytes.fromhex(MANDATORY + attribute)
    return build(MessageType.UPDATE, bytes(2) + len(octets).to_bytes(2, "big") + octets + bytes.fromhex(routes))


class Clock:
    """Time as the test wants it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(receiver, "time", clock)
    return clock


def receiving() -> Receiver:
    """Make the incoming half of a session that nobody listens to."""
    configuration: Any = SimpleNamespace(name="192.0.2.1", adj_rib_in=False)
    report: Any = SimpleNamespace(received_updates=lambda good, now: None)
    limits = PrefixLimits(())
    return Receiver(Negotiated(peer_as=65002), configuration, AdjRibIn(), limits, report, logging.getLogger("test"))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (update(WITHDRAWN), "routes treated as withdrawn peer=192.0.2.1 reason=MULTI_EXIT_DISC length 0 is not 4"),
        (update(DISCARDED), "attributes discarded peer=192.0.2.1 reason=AGGREGATOR length 0 is not 8"),
        (update("", "ff"), "UPDATE refused peer=192.0.2.1 reason=3/10: "),
    ],
)
def test_a_malformed_update_is_logged_whole(
    clock: Clock, caplog: pytest.LogCaptureFixture, message: bytes, words: str
) -> None:
    receiving().take(Deliver(1, [message]))
    [line] = caplog.messages
    assert line.startswith(words)
    assert line.endswith(f" message={message.hex()}")


def test_of_many_malformed_updates_one_in_a_second_is_logged_whole(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    half = receiving()
    half.take(Deliver(1, [update(WITHDRAWN)] * 5))
    clock.now += LOG_PERIOD
    half.take(Deliver(1, [update(WITHDRAWN)] * 5))
    assert len(caplog.messages) == 10
    assert [place for place, line in enumerate(caplog.messages) if not line.endswith("message=-")] == [0, 5]


def test_a_sound_update_is_not_logged(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    assert receiving().take(Deliver(1, [update("")])) is None
    assert not caplog.messages
