"""Limits of received routes: when they warn, what they send, for how long no session is wanted."""

from __future__ import annotations

import pytest

from apid.config.errors import ConfigurationErrors
from apid.config.load import load_text
from bgp.errors import NotifyError
from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from bgp.prefix_limit import FIRST_IDLE_HOLD, LONGEST_IDLE_HOLD, Crossing, PrefixLimit, PrefixLimits

LIMIT = PrefixLimit(IPV4_UNICAST, 100, 80)


def crossed(limits: PrefixLimits, *counts: int) -> list[int]:
    """Return the counts that crossed something."""
    return [count for count in counts if limits.check(IPV4_UNICAST, count) is not None]


def test_a_limit_is_told_of_twice_in_a_session_near_it_and_beyond_it() -> None:
    limits = PrefixLimits([LIMIT])
    assert crossed(limits, 79, 80, 81, 100, 79, 90, 101, 102, 80, 101) == [80, 101]
    limits.start_over()
    assert crossed(limits, 150, 151) == [150]
    assert limits.check(IPV6_UNICAST, 1000) is None


def test_the_cease_holds_family_and_limit() -> None:
    error = Crossing(LIMIT, 101).error()
    assert isinstance(error, NotifyError)
    assert (error.code, error.subcode, error.data.hex()) == (6, 1, "00010100000064")
    assert Crossing(LIMIT, 100).error() is None
    assert Crossing(PrefixLimit(IPV4_UNICAST, 100, 80, teardown=False), 101).error() is None


def test_the_idle_hold_doubles_while_sessions_end_by_the_limit() -> None:
    limits = PrefixLimits([LIMIT])
    holds = []
    for _ in range(8):
        limits.start_over()
        holds.append(limits.idle_hold(LIMIT))
    assert holds[:3] == [FIRST_IDLE_HOLD, 2 * FIRST_IDLE_HOLD, 4 * FIRST_IDLE_HOLD]
    assert holds[-1] == LONGEST_IDLE_HOLD
    limits.start_over()
    limits.start_over()  # the session before this one ended otherwise
    assert limits.idle_hold(LIMIT) == FIRST_IDLE_HOLD
    assert limits.idle_hold(PrefixLimit(IPV4_UNICAST, 100, 80, restart=5)) == 5.0


NEIGHBOR = """neighbor 192.0.2.1 {{ router-id 10.0.0.1; local-address 192.0.2.2; local-as 65001; peer-as 65002;
family {{ ipv4 unicast; ipv6 unicast; }}
maximum-prefix {{ {} }} }}"""
WRITTEN = [
    ("ipv4 unicast 1000;", PrefixLimit(IPV4_UNICAST, 1000, 750)),
    ("ipv4 unicast 1000 warn 80 restart 60;", PrefixLimit(IPV4_UNICAST, 1000, 800, restart=60)),
    ("ipv6 unicast 10 warning-only;", PrefixLimit(IPV6_UNICAST, 10, 8, teardown=False)),
    ("ipv4 unicast 1 warn 1;", PrefixLimit(IPV4_UNICAST, 1, 1)),
]


@pytest.mark.parametrize(("text", "limit"), WRITTEN)
def test_a_limit_is_written_as_family_number_and_options(text: str, limit: PrefixLimit) -> None:
    [neighbor] = load_text(NEIGHBOR.format(text), {}).neighbors
    assert neighbor.prefix_limits == (limit,)


WRONG = [
    ("ipv4 unicast;", "the most routes"),
    ("ipv4 unicast 0;", "range 1 to"),
    ("ipv4 unicast 5 warn 101;", "range 1 to 100"),
    ("ipv4 unicast 5 warning-only restart 5;", "exclude"),
    ("ipv4 unicast 5 restart 5 warning-only;", "exclude"),
    ("ipv4 unicast 5 restrat 5;", "restart"),
    ("ipv4 unicast 5; ipv4 unicast 6;", "two limits"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_limit_is_refused_with_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(ConfigurationErrors, match=said):
        load_text(NEIGHBOR.format(text), {})
