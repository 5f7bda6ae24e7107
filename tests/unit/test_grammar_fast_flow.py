"""FlowSpec lines read fast mean what they mean when each is read by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apid.grammar.fast import CommandReader, Routes
from tests.unit.test_grammar_fast import agree

MATCHES = (
    "source 10.0.0.0/8",
    "source 10.0.0.1/8",
    "source 10.0.0.0/33",
    "source 10.0.0.0",
    "source 10.0.0.0/08",
    "destination 192.0.2.0/24",
    "destination-ipv4 192.0.2.7/32",
    "source 2001:db8::/32",
    "protocol tcp",
    "protocol [ tcp udp ]",
    "destination-port =80",
    "destination-port [ >8080&<8088 =3128 ]",
    "port 70000",
    "next-header tcp",
    "tcp-flags [ =syn+ack !rst ]",
    "fragment [ first-fragment last-fragment ]",
    "dscp 10",
    "packet-length >1500",
    "sauce 10.0.0.0/8",
    "",
    "source 10.0.0.0/8 destination 192.0.2.0/24",
)
ACTIONS = (
    "discard;",
    "rate-limit 9600;",
    "redirect 65001:100;",
    "redirect 192.0.2.1;",
    "redirect-to-nexthop-ietf 1.2.3.4;",
    "mark 10; community [65001:1 65001:2];",
    "discard",
    "dicsard;",
    "",
)
VERBS = ("announce", "withdraw", "neighbor * announce", "neighbor 192.0.2.9 withdraw", "announce ipv4")


def line(verb: str, matches: list[str], then: str | None, rd: str = "") -> str:
    actions = "" if then is None else f" then {{ {then} }}"
    return f"{verb} flow route {{ {rd}match {{ {'; '.join(matches)}; }}{actions} }}"


@pytest.mark.parametrize("match", MATCHES)
@pytest.mark.parametrize("then", [None, *ACTIONS])
def test_a_rule_means_the_same_read_fast(match: str, then: str | None) -> None:
    agree([line(verb, ["destination-port =53", match], then) for verb in VERBS])


@given(
    st.lists(
        st.builds(
            line,
            st.sampled_from(VERBS),
            st.lists(st.sampled_from(MATCHES), max_size=4),
            st.sampled_from([None, *ACTIONS]),
            st.sampled_from(["", "rd 65001:1; "]),
        ),
        max_size=12,
    )
)
def test_any_lines_in_any_order_mean_the_same_read_fast(lines: list[str]) -> None:
    agree(lines)


def test_rules_with_the_same_actions_become_one_step() -> None:
    lines = [line("announce", [f"source 10.0.{number}.0/24", "protocol =udp"], "discard;") for number in range(100)]
    (step,) = CommandReader().read("".join(f"{each}\n" for each in lines).encode())
    assert isinstance(step, Routes)
    assert step.lines == 100


def test_a_rule_too_long_for_one_octet_of_length_is_read_by_itself() -> None:
    ports = " ".join(f"={port}" for port in range(40000, 40100))
    agree([line("announce", ["source 10.0.0.0/8", f"destination-port [ {ports} ]"], "discard;")])
