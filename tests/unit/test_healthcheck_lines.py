"""The lines that the health check prints, compared with those of ExaBGP 5.0.15."""

from __future__ import annotations

import shlex
from typing import Any

import click
import pytest

from apid.grammar.command import parse_command
from apid.healthcheck.build import build
from apid.healthcheck.command import healthcheck
from apid.healthcheck.lines import lines
from apid.healthcheck.machine import State
from apid.healthcheck.options import OptionError, Options, prefixes_to_announce


def options(arguments: str) -> Options:
    with healthcheck.make_context("healthcheck", shlex.split(arguments)) as context:
        values: dict[str, Any] = context.params
        return build(values)


def printed(arguments: str, state: State) -> list[str]:
    found = options(arguments)
    return lines(state, prefixes_to_announce(list(found.addresses.prefixes), found.addresses), found.wording)


STATES = "--community 1:1 --disabled-community 2:2 --as-path 7 --down-as-path 9 --disabled-as-path 8"
EVERYTHING = (
    "--ip 10.9.0.1 --ip 10.9.0.9 --next-hop 1.2.3.4 --local-preference 50 --community 65001:1 "
    "--community '65001:2 65001:3' --extended-community target:1:1 --large-community 65001:1:1 "
    "--as-path '65001 65001' --path-id 7 --neighbor 1.1.1.1 --neighbor 2.2.2.2"
)
ALL_PRINTED = (
    "local-preference 50 community [ 65001:2 65001:3 ] extended-community [ target:1:1 ] "
    "large-community [ 65001:1:1 ] as-path [ 65001 65001 ] path-information 7"
)

# (arguments, state, what ExaBGP 5.0.15 printed)
PRINTED = [
    (
        "--ip 10.9.0.1 --ip 10.9.0.2/32 --ip 10.9.1.0/30 --ip 2001:db8::1",
        State.UP,
        [
            "neighbor * announce route 10.9.0.1/32 next-hop self med 100",
            "neighbor * announce route 10.9.0.2/32 next-hop self med 101",
            "neighbor * announce route 10.9.1.0/30 next-hop self med 102",
            "neighbor * announce route 2001:db8::1/128 next-hop self med 103",
        ],
    ),
    (
        EVERYTHING,
        State.UP,
        [
            f"neighbor 1.1.1.1, neighbor 2.2.2.2 announce route 10.9.0.1/32 next-hop 1.2.3.4 med 100 {ALL_PRINTED}",
            f"neighbor 1.1.1.1, neighbor 2.2.2.2 announce route 10.9.0.9/32 next-hop 1.2.3.4 med 101 {ALL_PRINTED}",
        ],
    ),
    ("--ip 10.9.0.1", State.DOWN, ["neighbor * announce route 10.9.0.1/32 next-hop self med 1000"]),
    ("--ip 10.9.0.1", State.DISABLED, ["neighbor * announce route 10.9.0.1/32 next-hop self med 500"]),
    (
        "--ip 10.9.0.1 --path-id 7",
        State.EXIT,
        ["neighbor * withdraw route 10.9.0.1/32 next-hop self path-information 7"],
    ),
    (
        "--ip 10.9.0.1 --withdraw-on-down --path-id 3",
        State.DOWN,
        ["neighbor * withdraw route 10.9.0.1/32 next-hop self path-information 3"],
    ),
    ("--ip 10.9.0.1 --withdraw-on-down", State.DISABLED, ["neighbor * withdraw route 10.9.0.1/32 next-hop self"]),
    (
        f"--ip 10.9.0.1 {STATES}",
        State.UP,
        ["neighbor * announce route 10.9.0.1/32 next-hop self med 100 community [ 1:1 ] as-path [ 7 ]"],
    ),
    (
        f"--ip 10.9.0.1 {STATES}",
        State.DOWN,
        ["neighbor * announce route 10.9.0.1/32 next-hop self med 1000 community [ 2:2 ] as-path [ 9 ]"],
    ),
    (
        f"--ip 10.9.0.1 {STATES}",
        State.DISABLED,
        ["neighbor * announce route 10.9.0.1/32 next-hop self med 500 community [ 2:2 ] as-path [ 8 ]"],
    ),
    (
        "--ip 10.9.0.0/30 --ip 2001:db8::/127 --deaggregate-networks --start-ip 2 --increase 5",
        State.UP,
        [
            "neighbor * announce route 10.9.0.2/32 next-hop self med 100",
            "neighbor * announce route 10.9.0.3/32 next-hop self med 105",
            "neighbor * announce route 2001:db8::/128 next-hop self med 110",
            "neighbor * announce route 2001:db8::1/128 next-hop self med 115",
            "neighbor * announce route 10.9.0.0/32 next-hop self med 120",
            "neighbor * announce route 10.9.0.1/32 next-hop self med 125",
        ],
    ),
    (
        "--ip 10.9.0.1 --ip 10.9.0.2 --ip 10.9.0.3 --start-ip 4",
        State.UP,
        [
            "neighbor * announce route 10.9.0.2/32 next-hop self med 100",
            "neighbor * announce route 10.9.0.3/32 next-hop self med 101",
            "neighbor * announce route 10.9.0.1/32 next-hop self med 102",
        ],
    ),
]


@pytest.mark.parametrize(("arguments", "state", "expected"), PRINTED)
def test_the_lines_are_those_of_exabgp(arguments: str, state: State, expected: list[str]) -> None:
    assert printed(arguments, state) == expected


@pytest.mark.parametrize("line", [line for _, _, expected in PRINTED for line in expected])
def test_our_own_grammar_takes_every_line(line: str) -> None:
    parse_command(line)


def test_a_prefix_that_is_given_twice_is_announced_once() -> None:
    assert (
        len(printed("--ip 10.9.0.1 --ip 10.9.0.1/32 --ip-ifname 10.9.0.1%eth0 --ip-ifname 10.9.0.2%eth0", State.UP))
        == 2
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--ip 10.9.0.1/24", "expected 10.9.0.0/24 or 10.9.0.1"),
        ("--ip 10.9.0", "'10.9.0' is neither an IP address nor a network"),
        ("--ip 2001:db8::/64", "18446744073709551616 addresses, of which at most 4096"),
        ("--ip-ifname 10.0.0.1", "'10.0.0.1' is not IP%INTERFACE"),
        ("--ip-ifname 10.0.0.1%", "is not IP%INTERFACE"),
        ("--next-hop here", "'here' is neither an IP address nor self"),
        ("--max-changes 0/5", "'0/5' is not N/SECONDS"),
        ("--max-changes 5", "'5' is not N/SECONDS"),
        ("--http-body x", "--http-body says something about --http, which is missing"),
        ("--http http://a --http-status 99", "'99' is not a list of codes and ranges"),
        ("--tcp host", "'host' is not HOST:PORT or [IPV6]:PORT"),
        ("--tcp host:0", "'host:0' is not HOST:PORT"),
        ("--tcp ::1:80", "'::1:80' is not HOST:PORT"),
        ("--dns example.com", "'example.com' is not NAME@SERVER"),
        ("--repeat --debounce", "contradict each other"),
        ("--community '1:1\n2:2'", "characters that cannot stand in a command"),
        ("--neighbor '1.1.1.1\nshutdown'", "characters that cannot stand in a command"),
    ],
)
def test_an_option_that_cannot_be_is_refused_with_what_was_expected(arguments: str, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        options(arguments)
    assert message in str(raised.value)


def test_a_network_too_large_to_deaggregate_is_refused() -> None:
    found = options("--ip 10.0.0.0/8 --no-ip-setup --deaggregate-networks").addresses
    with pytest.raises(OptionError, match="16777216 addresses"):
        prefixes_to_announce(list(found.prefixes), found)


@pytest.mark.parametrize("number", ["-1", "x", "1e99x"])
def test_a_number_out_of_range_is_a_usage_error(number: str) -> None:
    with pytest.raises(click.UsageError):
        options(f"--interval {number}")
