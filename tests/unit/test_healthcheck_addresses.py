"""Which addresses the health check finds, adds and removes; `ip` is played by a stand-in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from ipaddress import ip_network

import pytest

from apid.healthcheck.loopback import AddressError, Addresses, parse_addresses
from apid.healthcheck.options import AddressOptions
from apid.healthcheck.process import Outcome

SHOWN = r"""1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
1: lo    inet 10.1.0.1/32 scope global lo:web1\       valid_lft forever preferred_lft forever
1: lo    inet 10.1.0.2/32 scope global lo:web\       valid_lft forever preferred_lft forever
1: lo    inet 10.1.0.3/32 scope global lo\       valid_lft forever preferred_lft forever
1: lo    inet 10.2.0.0/24 scope global lo:net\       valid_lft forever preferred_lft forever
1: lo    inet 10.2.1.5/24 scope global secondary lo:net\       valid_lft forever preferred_lft forever
1: lo    inet6 2001:db8:1::1/128 scope global \       valid_lft forever preferred_lft forever
1: lo    inet6 ::1/128 scope host \       valid_lft forever preferred_lft forever
"""


class FakeIp:
    """A host with one interface, that does what `ip address` says."""

    def __init__(self, shown: str = "", fail: str = "") -> None:
        self.shown, self.fail = shown, fail
        self.commands: list[str] = []

    def run(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        seconds: float,
        interrupted: Callable[[], bool] = lambda: False,
        keep: int = 0,
    ) -> Outcome:
        line = " ".join(arguments)
        if " show " in line:
            return Outcome(0, "".join(row for row in self.shown.splitlines(True) if f" {arguments[-1]} " in row))
        self.commands.append(line)
        if self.fail and self.fail in line:
            return Outcome(2, "RTNETLINK answers: Operation not permitted")
        words = line.split()
        prefix, interface = words[words.index("dev") - 1], words[words.index("dev") + 1]
        if " add " in line:
            family, label = ("inet6", "") if ":" in prefix else ("inet", line.partition(" label ")[2] or interface)
            self.shown += f"9: {interface}    {family} {prefix} scope global {label}\\ x\n"
        else:
            self.shown = "".join(row for row in self.shown.splitlines(True) if f" {prefix} " not in row)
        return Outcome(0, "")


def addresses(ip: FakeIp, *prefixes: str, **options: object) -> Addresses:
    wanted = tuple(ip_network(prefix) for prefix in prefixes)
    return Addresses(AddressOptions(prefixes=wanted, **options), ip, logging.getLogger("test"))  # type: ignore[arg-type]


def test_the_output_of_ip_is_read() -> None:
    rows = [(a.interface, str(a.network), a.label, a.text) for a in parse_addresses(SHOWN + "junk\n1: lo link\n")]
    assert rows == [
        ("lo", "None", "", "127.0.0.1/8"),
        ("lo", "10.1.0.1/32", "web1", "10.1.0.1/32"),
        ("lo", "10.1.0.2/32", "web", "10.1.0.2/32"),
        ("lo", "10.1.0.3/32", "", "10.1.0.3/32"),
        ("lo", "10.2.0.0/24", "net", "10.2.0.0/24"),
        ("lo", "None", "net", "10.2.1.5/24"),
        ("lo", "2001:db8:1::1/128", "", "2001:db8:1::1/128"),
        ("lo", "::1/128", "", "::1/128"),
    ]


@pytest.mark.parametrize(
    ("label", "exact", "expected"),
    [
        ("", False, ["10.1.0.1/32", "10.1.0.2/32", "10.1.0.3/32", "10.2.0.0/24", "2001:db8:1::1/128"]),
        ("web", False, ["10.1.0.1/32", "10.1.0.2/32"]),
        ("web", True, ["10.1.0.2/32"]),
        ("zzz", False, []),
    ],
)
def test_what_exabgp_finds_on_the_loopback_is_found(label: str, exact: bool, expected: list[str]) -> None:
    found = addresses(FakeIp(SHOWN), label=label, exact_label=exact).discover()
    assert [str(network) for network in found] == expected


def test_only_what_is_missing_is_added_with_its_label() -> None:
    ip = FakeIp(SHOWN)
    interfaces = {ip_network("10.4.0.1"): "eth1"}
    wanted = addresses(
        ip, "10.1.0.3", "10.3.0.0/31", "2001:db8:3::1", "10.4.0.1", label="foo", interfaces=interfaces, sudo=True
    )
    wanted.set_up()
    wanted.set_up()
    assert ip.commands == [
        "sudo -n ip address add 10.3.0.0/32 dev lo label lo:foo",
        "sudo -n ip address add 10.3.0.1/32 dev lo label lo:foo",
        "sudo -n ip address add 2001:db8:3::1/128 dev lo",
        "sudo -n ip address add 10.4.0.1/32 dev eth1 label eth1:foo",
    ]


def test_only_what_was_added_is_removed() -> None:
    ip = FakeIp(SHOWN)
    wanted = addresses(ip, "10.1.0.3", "10.3.0.1")
    wanted.take_down()
    assert ip.commands == []
    wanted.set_up()
    wanted.take_down()
    wanted.take_down()
    assert ip.commands == ["ip address add 10.3.0.1/32 dev lo", "ip address delete 10.3.0.1/32 dev lo"]
    assert "10.1.0.3/32" in ip.shown


def test_addresses_that_follow_the_state_are_removed_whoever_added_them() -> None:
    ip = FakeIp(SHOWN)
    addresses(ip, "10.1.0.3", "10.3.0.1", dynamic=True).take_down()
    assert ip.commands == ["ip address delete 10.1.0.3/32 dev lo"]


def test_a_label_tells_which_addresses_are_ours_after_a_crash() -> None:
    ip = FakeIp(SHOWN)
    addresses(ip, "10.1.0.1", "10.1.0.3", "2001:db8:1::1", label="web", dynamic=False).take_down()
    assert ip.commands == ["ip address delete 10.1.0.1/32 dev lo"]
    ip = FakeIp(SHOWN)
    addresses(ip, "10.1.0.1", "10.1.0.3", "2001:db8:1::1", label="web", dynamic=True).take_down()
    assert ip.commands == ["ip address delete 10.1.0.1/32 dev lo", "ip address delete 2001:db8:1::1/128 dev lo"]


def test_found_addresses_are_never_touched() -> None:
    ip = FakeIp(SHOWN)
    found = addresses(ip)
    found.discover()
    found.set_up()
    found.take_down()
    assert ip.commands == []


def test_no_interface_is_touched_where_that_is_not_wanted() -> None:
    ip = FakeIp(SHOWN)
    leave = addresses(ip, "10.3.0.1", set_up=False, dynamic=False)
    leave.set_up()
    leave.take_down()
    assert ip.commands == []


def test_a_failure_to_add_quotes_ip() -> None:
    with pytest.raises(AddressError) as raised:
        addresses(FakeIp(fail="add"), "10.3.0.1").set_up()
    expected = "ip address add 10.3.0.1/32 dev lo: exit status 2 RTNETLINK answers: Operation not permitted"
    assert str(raised.value) == expected


def test_a_failure_to_remove_leaves_the_others_to_be_removed(caplog: pytest.LogCaptureFixture) -> None:
    ip = FakeIp(fail="delete 10.3.0.1")
    wanted = addresses(ip, "10.3.0.1", "10.3.0.2")
    wanted.set_up()
    wanted.take_down()
    assert ip.commands[2:] == ["ip address delete 10.3.0.1/32 dev lo", "ip address delete 10.3.0.2/32 dev lo"]
    assert "Operation not permitted" in caplog.text
