"""The health check's options: all of ExaBGP's, shortened names, and the configuration file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from apid.healthcheck.arguments import Arity, expand, read_file
from apid.healthcheck.build import build
from apid.healthcheck.command import SECTIONS, healthcheck
from apid.healthcheck.machine import State
from apid.healthcheck.options import OptionError
from tests.shared import shared

ARITIES = {
    **dict.fromkeys(("-d", "--debug", "-a", "--no-ack", "-s", "--silent"), Arity.FLAG),
    **dict.fromkeys(("-i", "--interval", "-F", "--config", "--ip", "--ip-ifname", "-c", "--cmd"), Arity.VALUE),
    **dict.fromkeys(("-sF", "--syslog-facility"), Arity.OPTIONAL),
}


@pytest.mark.parametrize(
    ("given", "plain", "paths"),
    [
        (["--int", "5"], ["--interval=5"], []),
        (["--int=5"], ["--interval=5"], []),
        (["--ip", "10.0.0.1"], ["--ip=10.0.0.1"], []),
        (["--ip-", "10.0.0.1%eth0"], ["--ip-ifname=10.0.0.1%eth0"], []),
        (["--s", "--sil"], ["--s", "--silent"], []),
        (["-i5", "-i", "6"], ["-i", "5", "-i", "6"], []),
        (["-dai", "5"], ["-d", "-a", "-i", "5"], []),
        (["-daFx.conf"], ["-d", "-a"], ["x.conf"]),
        (["--config", "x.conf", "-F", "y.conf", "--conf=z.conf"], [], ["x.conf", "y.conf", "z.conf"]),
        (["-c", "--deb", "--deb"], ["-c", "--deb", "--debug"], []),
        (["--cmd", "-i5"], ["--cmd=-i5"], []),
        (["-sF", "local0", "-s"], ["-sF", "local0", "-s"], []),
        (["--nothing", "-z", "word"], ["--nothing", "-z", "word"], []),
        (["--", "--int"], ["--", "--int"], []),
        (["--interval"], ["--interval"], []),
    ],
)
def test_arguments_are_spelt_out(given: list[str], plain: list[str], paths: list[str]) -> None:
    assert expand(given, ARITIES) == (plain, paths)


def test_a_configuration_file_stands_for_arguments() -> None:
    text = "# web\n\n debug \nsilent = false\nno-ack = yes\ninterval=5\ncmd = test a = b # c\n"
    text += "syslog-facility\nip = 10.0.0.1\n"
    assert read_file("x.conf", text, ARITIES) == [
        *("--debug", "--no-ack", "--interval=5", "--cmd=test a = b # c", "--syslog-facility", "--ip=10.0.0.1")
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("med = 4", "x.conf:2: there is no option 'med'"),
        ("interval", "x.conf:2: 'interval' needs a value: expected 'interval = value'"),
        ("debug = maybe", "x.conf:2: 'debug' is switched on by 'true', off by 'false', not by 'maybe'"),
        ("config = y.conf", "x.conf:2: there is no option 'config'"),
        ("= 4", "x.conf:2: a value without an option: expected 'long-option = value'"),
    ],
)
def test_a_bad_line_is_named(line: str, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        read_file("x.conf", f"debug\n{line}\n", ARITIES)
    assert str(raised.value) == message


def parse(arguments: list[str]) -> dict[str, Any]:
    with healthcheck.make_context("healthcheck", arguments) as context:
        return context.params


def test_every_option_of_exabgp_is_there() -> None:
    table = shared("reference/exabgp.md").read_text().partition("## 8.1 healthcheck")[2].partition("States INIT")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `-")]
    named = {name for row in rows for name in re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", row)} - {"--up-", "--down-"}
    named |= {"--up-execute", "--down-execute", "--disabled-execute"}
    ours = {name for _, options in SECTIONS for option in options for name in option.opts}
    assert len(named) > 50
    assert named - ours == {"--up-/down-/disabled-execute"} & named


VALUES = {
    "command": ("true", "command"),
    "http": ("http://127.0.0.1:8080/x", "http"),
    "http-status": ("200", "http_status"),
    "http-body": ("fine", "http_body"),
    "tcp": ("127.0.0.1:80", "tcp"),
    "dns": ("a.example@127.0.0.1", "dns"),
    "disable": ("/tmp/disabled", "disable"),
    "interval": ("7", "interval"),
    "fast-interval": ("0.5", "fast_interval"),
    "timeout": ("2", "timeout"),
    "rise": ("4", "rise"),
    "fall": ("6", "fall"),
    "max-changes": ("3/60", "max_changes"),
    "ip": ("10.0.0.1", "ip"),
    "ip-ifname": ("10.0.0.2%eth0", "ip_ifname"),
    "neighbor": ("192.0.2.1", "neighbor"),
    "next-hop": ("192.0.2.9", "next_hop"),
    "start-ip": ("1", "start_ip"),
    "up-metric": ("10", "up_metric"),
    "down-metric": ("20", "down_metric"),
    "disabled-metric": ("30", "disabled_metric"),
    "increase": ("2", "increase"),
    "local-preference": ("50", "local_preference"),
    "community": ("1:1", "community"),
    "disabled-community": ("2:2", "disabled_community"),
    "extended-community": ("target:1:1", "extended_community"),
    "large-community": ("1:1:1", "large_community"),
    "as-path": ("1", "as_path"),
    "up-as-path": ("2", "up_as_path"),
    "down-as-path": ("3", "down_as_path"),
    "disabled-as-path": ("4", "disabled_as_path"),
    "path-id": ("9", "path_id"),
    "label": ("web", "label"),
    "execute": ("echo all", "execute"),
    "up-execute": ("echo up", "up_execute"),
    "down-execute": ("echo down", "down_execute"),
    "disabled-execute": ("echo disabled", "disabled_execute"),
    "hook-timeout": ("9", "hook_timeout"),
    "name": ("web", "name"),
    "syslog-facility": ("local3", "syslog_facility"),
    "pid": ("/tmp/web.pid", "pid"),
    "user": ("nobody", "user"),
    "group": ("nogroup", "group"),
}
FLAGS = (
    *("http-insecure", "deaggregate-networks", "withdraw-on-down", "repeat", "no-ip-setup", "dynamic-ip-setup"),
    *("label-exact-match", "sudo", "no-ack", "debug", "silent", "no-syslog"),
)


def test_a_file_may_hold_every_option(tmp_path: Path) -> None:
    path = tmp_path / "all.conf"
    path.write_text("".join(f"{name} = {text}\n" for name, (text, _) in VALUES.items()) + "\n".join(FLAGS) + "\n")
    known = {name.removeprefix("--") for _, options in SECTIONS for o in options for name in o.opts if name[:2] == "--"}
    assert known - VALUES.keys() - set(FLAGS) == {"cmd", "config", "debounce"}
    values = parse(["--config", str(path)])
    assert all(values[name.replace("-", "_")] is True for name in FLAGS)
    for text, key in VALUES.values():
        seen = values[key]
        assert (seen[0] if isinstance(seen, tuple) else seen) == (
            float(text) if isinstance(seen, int | float) else text
        )
    options = build(values)
    assert options.machine.max_changes == 3
    assert options.check.http_status == (range(200, 201),)
    assert options.process.hooks == (
        (State.UP, "echo up"),
        (State.DOWN, "echo down"),
        (State.DISABLED, "echo disabled"),
        (None, "echo all"),
    )
    assert options.logging.facility == ""


def test_the_command_line_goes_before_the_file_and_adds_to_its_lists(tmp_path: Path) -> None:
    path = tmp_path / "web.conf"
    path.write_text("interval = 7\nip = 10.0.0.1\nrise = 9\n")
    values = parse(["--interval", "2", "-F", str(path), "--ip", "10.0.0.2"])
    assert (values["interval"], values["rise"], values["ip"]) == (2, 9, ("10.0.0.1", "10.0.0.2"))


def test_the_defaults_are_those_of_exabgp() -> None:
    options = build(parse([]))
    assert (options.machine.interval, options.machine.fast_interval, options.check.timeout) == (5, 1, 5)
    assert (options.machine.rise, options.machine.fall, options.machine.max_changes) == (3, 3, 0)
    assert options.wording.metrics == {State.UP: 100, State.DOWN: 1000, State.DISABLED: 500}
    assert (options.wording.increase, options.wording.local_preference) == (1, -1)
    assert (options.logging.facility, options.process.acknowledged) == ("daemon", True)


def test_a_facility_is_optional_after_its_option() -> None:
    assert parse(["-sF"])["syslog_facility"] == "daemon"
    assert parse(["-sF", "local0", "-s"])["syslog_facility"] == "local0"
    assert parse(["--syslog-facility", "--silent"])["syslog_facility"] == "daemon"


@pytest.mark.parametrize("arguments", [["--config", "/nonexistent"], ["--nothing"], ["--ip", "10.0.0.1/8"], ["word"]])
def test_bad_usage_ends_with_status_2_and_without_a_traceback(arguments: list[str]) -> None:
    result = CliRunner().invoke(healthcheck, arguments)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)


def test_help_groups_the_options_and_shows_examples() -> None:
    text = CliRunner().invoke(healthcheck, ["-h"]).output
    for title, options in SECTIONS:
        assert f"\n{title}:\n" in text
        assert all(name in text for option in options for name in option.opts)
    assert "Examples:" in text
    assert "\n    bgpbus healthcheck --cmd" in text


def test_no_option_is_there_twice() -> None:
    names = [name for _, options in SECTIONS for option in options for name in option.opts]
    assert len(names) == len(set(names))
    assert all(isinstance(option, click.Option) and option.help for _, options in SECTIONS for option in options)
