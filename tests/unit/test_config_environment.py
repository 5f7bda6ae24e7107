"""The environment: names, precedence, values, and how it is printed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from apid.config.environment import (
    OPTIONS,
    InvalidEnvironment,
    as_env,
    as_ini,
    find_env_file,
    load_environment,
)
from apid.config.options import Environment

INI = """
# a comment
; another
[exabgp.api]
ack = false # and one behind a value
encoder='text'

[exabgp.tcp]
port = 1790
bind = '127.0.0.1 ::1'
"""


def loaded(variables: dict[str, str], ini: str = "") -> Environment:
    environment, warnings = load_environment(variables, ini)
    assert warnings == []
    return environment


def test_without_settings_everything_has_its_default() -> None:
    assert loaded({}) == Environment()


def test_a_value_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(InvalidEnvironment) as caught:
        load_environment({"exabgp.log.destination": os.fsdecode(b"/tmp/\xff")})
    assert caught.value.problems == [
        "environment variable exabgp.log.destination: the value of log.destination is not UTF-8"
    ]


def test_the_ini_file_sets_values_in_quotes_or_without() -> None:
    environment = loaded({}, INI)
    assert environment.api.ack is False
    assert environment.api.encoder == "text"
    assert environment.tcp.port == 1790
    assert environment.tcp.bind == ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("variables", "port"),
    [
        ({}, 1790),
        ({"exabgp_tcp_port": "1791"}, 1791),
        ({"exabgp.tcp.port": "1792"}, 1792),
        ({"exabgp_tcp_port": "1791", "exabgp.tcp.port": "1792"}, 1792),
        ({"exabgp.tcp.port": "1792", "exabgp_tcp_port": "1791"}, 1792),
    ],
)
def test_a_dotted_variable_beats_an_underscored_one_and_that_the_file(variables: dict[str, str], port: int) -> None:
    assert loaded(variables, INI).tcp.port == port


VALUES: list[tuple[str, str, Any]] = [
    ("api.ack", "NO", False),
    ("api.ack", "off", False),
    ("api.ack", "0", False),
    ("api.ack", "1", True),
    ("api.ack", "Yes", True),
    ("api.ack", "on", True),
    ("api.ack", "enable", True),
    ("api.show-routes-format", "v2", "v2"),
    ("api.encoder", "text", "text"),
    ("api.pipename", "other-pipe", "other-pipe"),
    ("bgp.openwait", "5", 5),
    ("daemon.umask", "0022", 0o22),
    ("daemon.umask", "0o137", 0o137),
    ("daemon.user", "bgp", "bgp"),
    ("log.level", "debug", "DEBUG"),
    ("log.level", "WARN", "WARNING"),
    ("log.level", "NOTICE", "INFO"),
    ("log.destination", "/var/log/x", "/var/log/x"),
    ("reactor.speed", "2", 2.0),
    ("tcp.attempts", "3", 3),
    ("tcp.connections", "3", 3),
    ("tcp.bind", "10.0.0.1 ::1", ("10.0.0.1", "::1")),
    ("tcp.bind", "", ()),
    ("tcp.delay", "10", 10),
    ("tcp.port", "65535", 65535),
    ("debug.route", "10.0.0.0/8", "10.0.0.0/8"),
]


@pytest.mark.parametrize(("name", "text", "value"), VALUES)
def test_a_variable_sets_an_option_in_both_spellings(name: str, text: str, value: Any) -> None:
    option = OPTIONS.get(name) or OPTIONS["tcp.attempts"]
    for variable in (f"exabgp.{name}", f"exabgp_{name.replace('.', '_')}"):
        environment = loaded({variable: text})
        assert getattr(getattr(environment, option.section), option.field) == value


REFUSED: list[tuple[str, str, str]] = [
    ("api.ack", "maybe", "true or false expected"),
    ("api.encoder", "xml", "text or json expected"),
    ("api.pipename", "a/b", "a name of letters, digits, '.', '_' and '-' expected"),
    ("bgp.openwait", "0", "a number from 1 to 3600 expected"),
    ("daemon.umask", "999", "an octal number up to 0777 expected"),
    ("log.level", "LOUD", "one of CRITICAL, ERROR, WARNING, INFO, DEBUG expected"),
    ("reactor.speed", "fast", "a number above 0 and below 1000 expected"),
    ("tcp.bind", "localhost", "IP addresses separated by spaces expected, 'localhost' is none"),
    ("tcp.port", "0", "a number from 1 to 65535 expected"),
    ("tcp.port", "65536", "a number from 1 to 65535 expected"),
    ("tcp.port", "bgp", "a number from 1 to 65535 expected"),
]


@pytest.mark.parametrize(("name", "text", "reason"), REFUSED)
def test_a_bad_value_is_refused_with_what_was_expected(name: str, text: str, reason: str) -> None:
    with pytest.raises(InvalidEnvironment) as caught:
        load_environment({f"exabgp.{name}": text})
    expected = f"environment variable exabgp.{name}: '{text}' is not a value of {name}: {reason}"
    assert caught.value.problems == [expected]


def test_all_bad_values_are_reported_with_their_places() -> None:
    with pytest.raises(InvalidEnvironment) as caught:
        load_environment({"exabgp_api_ack": "x"}, "[exabgp.tcp]\nport = x\n", "my.env")
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        "my.env:2",
        "environment variable exabgp_api_ack",
    ]


@pytest.mark.parametrize(
    ("variables", "ini", "warning"),
    [
        (
            {"exabgp.api.akc": "1"},
            "",
            "environment variable exabgp.api.akc: unknown option 'api.akc': did you mean 'api.ack'?",
        ),
        (
            {"exabgp_tcp_prot": "1"},
            "",
            "environment variable exabgp_tcp_prot: unknown option 'tcp.prot': did you mean 'tcp.port'?",
        ),
        ({"exabgp_x": "1"}, "", "environment variable exabgp_x: unknown option 'x'"),
        ({"exabgp.api.version": "4"}, "", "environment variable exabgp.api.version: api.version has no effect here"),
        ({}, "[exabgp.tcp]\nprot = 1", "exabgp.env:2: unknown option 'tcp.prot': did you mean 'tcp.port'?"),
        ({}, "[tcp]\nport = 1", "exabgp.env:2: the section [tcp] is not one of ours: [exabgp.SECTION] expected"),
        ({}, "[exabgp.tcp]\nport 1", "exabgp.env:2: 'OPTION = VALUE' expected, not 'port 1'"),
    ],
)
def test_a_setting_that_means_nothing_gives_a_warning(variables: dict[str, str], ini: str, warning: str) -> None:
    environment, warnings = load_environment(variables, ini)
    assert environment == Environment()
    assert warnings == [warning]


def test_variables_of_others_are_left_alone() -> None:
    assert loaded({"PATH": "/bin", "EXABGP_ETC": "/etc", "bgpbus.tcp.port": "1"}) == Environment()


def test_the_ini_form_reads_back_as_the_same_environment() -> None:
    environment = loaded({"exabgp.debug.pdb": "on"}, INI)
    assert loaded({}, as_ini(environment)) == environment


def test_the_env_form_reads_back_as_the_same_environment() -> None:
    environment = loaded({}, INI)
    variables = dict(line.split("=", 1) for line in as_env(environment).splitlines())
    assert loaded(variables) == environment


def test_only_differences_are_printed_where_asked() -> None:
    environment = loaded({"exabgp.tcp.port": "1790", "exabgp.daemon.umask": "022", "exabgp.api.ack": "yes"})
    assert as_ini(environment, differences=True) == ("\n[exabgp.daemon]\numask = '0o22'\n\n[exabgp.tcp]\nport = 1790\n")
    assert as_env(environment, differences=True) == "exabgp.daemon.umask='0o22'\nexabgp.tcp.port=1790\n"
    assert as_ini(Environment(), differences=True) == ""


def test_hidden_options_are_printed_only_where_set() -> None:
    assert "debug" not in as_ini(Environment())
    assert "[exabgp.debug]\npdb = true\n" in as_ini(loaded({"exabgp.debug.pdb": "on"}))


def test_the_env_file_is_the_named_one_or_that_below_the_root(tmp_path: Path) -> None:
    assert find_env_file({"EXABGP_ENVFILE": "/a"}) == "/a"
    root = {"EXABGP_ROOT": str(tmp_path)}
    assert find_env_file(root) is None
    path = tmp_path / "etc" / "exabgp" / "exabgp.env"
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert find_env_file(root) == str(path)


def test_every_shown_option_is_documented() -> None:
    for name, option in OPTIONS.items():
        assert option.help or option.section == "debug", name
