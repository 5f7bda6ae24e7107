"""The summary of neighbors on the command line, and how words travel that are abbreviated."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from apid.cli import ask as cli_ask
from apid.cli import control as cli_control
from apid.cli import summary as cli_summary
from apid.cli.main import API, main
from apid.grammar.command import COMMANDS, parse_command

NEIGHBORS = [
    {
        "peer": {"address": "192.0.2.1", "as": 65001}, "state": "up", "fsm": "ESTABLISHED", "shut": False,
        "duration": 3661, "prefixes": {"received": 7, "announced": 12}, "last-error": "6/4",
        "last-error-time": 1000.0,
    },
    {
        "peer": {"address": "2001:db8::1", "as": None}, "state": "down", "fsm": "IDLE", "shut": True,
        "duration": 0, "prefixes": {"received": 0, "announced": None}, "last-error": "administratively shut: noon",
        "last-error-time": None,
    },
]  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []

    def ask(_run: object, line: str, take: Callable[[list[str]], None]) -> None:
        lines.append(line)
        take([json.dumps(NEIGHBORS)])

    monkeypatch.setattr(cli_summary.time, "time", lambda: 1059.9)
    for module in (cli_ask, cli_control):
        monkeypatch.setattr(module, "ask", ask)
    return lines


def output(*words: str) -> list[str]:
    result = CliRunner().invoke(main, [*words])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_every_neighbor_has_a_line_and_its_last_error_below(asked: list[str]) -> None:
    assert output("show", "neighbor", "192.0.2.0/24", "summary") == [
        "neighbor     AS     state        up for   in  out",
        "192.0.2.1    65001  established  1:01:01  7   12",
        "    0:00:59 ago: 6/4",
        "2001:db8::1  -      shut         -        -   -",
        "    administratively shut: noon",
    ]
    assert asked == ["show neighbor 192.0.2.0/24 json"]


def test_neighbors_of_one_address_are_told_apart_by_ours(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = NEIGHBORS
    monkeypatch.setitem(globals(), "NEIGHBORS", [{**first, "local": {"address": f"192.0.2.{n}"}} for n in (8, 9)])
    shown = [line.split("  ")[0] for line in output("show", "neighbor", "summary")]
    assert shown[1::2] == ["192.0.2.1 from 192.0.2.8", "192.0.2.1 from 192.0.2.9"]


@pytest.mark.parametrize("words", ["show neighbor", "sh nei sum", "s n summary", "show neighbor sum"])
def test_words_may_be_abbreviated(asked: list[str], words: str) -> None:
    assert output(*words.split())[1].startswith("192.0.2.1 ")
    assert asked == ["show neighbor json"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("cli a watchdog s", "announce watchdog s"),
        ("cli peer delete n", "peer delete n"),
        ("cli n 127.0.0.2 t 4", "neighbor 127.0.0.2 teardown 4"),
        ("a e ipv4 unicast", "announce eor ipv4 unicast"),
        ("with route 10.0.0.0/8", "withdraw route 10.0.0.0/8"),
        ("n 127.0.0.2 a w dog", "neighbor 127.0.0.2 announce watchdog dog"),
        ("s a o 127.0.0.2 ext", "show adj-rib out 127.0.0.2 extensive"),
        ("f a o", "flush adj-rib out"),
        ("fl adj out 127.0.0.2", "neighbor 127.0.0.2 flush adj-rib out"),
        ("c a i", "clear adj-rib in"),
        ("t 127.0.0.2", "neighbor 127.0.0.2 teardown 4"),
        ("rel", "reload"),
        ("sess p", "session ping"),
        ("rib s i", "rib show in"),
    ],
)
def test_abbreviated_words_travel_in_full(asked: list[str], words: str, line: str) -> None:
    output(*words.split())
    assert asked == [line]


def test_the_name_of_a_command_wins_and_one_that_is_not_clear_is_none(asked: list[str]) -> None:
    assert CliRunner().invoke(main, ["re"]).exit_code == 2
    assert output("env")[1] == "[exabgp.api]"
    assert asked == []


def test_a_text_for_a_peer_is_quoted_behind_abbreviations_too(asked: list[str]) -> None:
    output("pe", "192.0.2.1", "shut", "at noon; s n s")
    assert asked == ['peer 192.0.2.1 shutdown "at noon; s n s"']


def test_any_command_of_the_api_is_one_of_the_command_line(asked: list[str]) -> None:
    output("create", "neighbor", "192.0.2.1", "keep")
    output("peer", "192.0.2.1", "shutdown", "at noon; or [later]")
    assert asked == ["create neighbor 192.0.2.1 keep", 'peer 192.0.2.1 shutdown "at noon; or [later]"']
    firsts = {row.name.split()[0] for row in COMMANDS}
    assert firsts >= {*API}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("peer list --json", "peer list json"),
        ("peer show summary --json", "peer show summary json"),
        ("cli peer list --json", "peer list json"),
        ("cli --json version", "version json"),
        ("n 192.0.2.1 s a o --json", "neighbor 192.0.2.1 show adj-rib out json"),
        ("show neighbor summary --json", "show neighbor summary json"),
        ("rib show in --json", "rib show in json"),
        ("system queue-status --json", "system queue-status json"),
        ("daemon status --json", "daemon status json"),
    ],
)
def test_what_shows_something_takes_json(asked: list[str], words: str, line: str) -> None:
    output(*words.split())
    assert asked == [line]
    parse_command(line)


@pytest.mark.parametrize("words", ["peer 192.0.2.1 shutdown --json", "cli --json", "n 192.0.2.1 t 4 --json"])
def test_what_shows_nothing_takes_no_json(asked: list[str], words: str) -> None:
    assert CliRunner().invoke(main, words.split()).exit_code == 2
    assert asked == []
