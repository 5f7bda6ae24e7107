"""The options of the health check as checked values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from msgspec import Struct, field

from apid.healthcheck.lines import Network, Wording
from apid.healthcheck.machine import Settings, State

MAX_ADDRESSES = 4096  # set up on an interface, or announced one by one, for one network


class OptionError(ValueError):
    """An option that cannot be; the message names it, what was seen and what was expected."""


class Logging(Struct, frozen=True):
    """Where to log: stderr unless `silent`, syslog unless `facility` is ""."""

    silent: bool = False
    facility: str = "daemon"
    debug: bool = False
    name: str = ""


class CheckOptions(Struct, frozen=True):
    """What to check; all that is given must pass, each within `timeout` seconds."""

    command: str = ""
    http: str = ""
    http_status: tuple[range, ...] = (range(200, 400),)
    http_body: str = ""
    http_insecure: bool = False
    tcp: str = ""
    dns: str = ""
    timeout: float = 5.0
    disable: str = ""


class AddressOptions(Struct, frozen=True):
    """Which addresses, on which interfaces.

    `prefixes` are those of --ip; `interfaces` holds those of them that belong elsewhere than on the loopback.
    """

    prefixes: tuple[Network, ...] = ()
    interfaces: dict[Network, str] = field(default_factory=dict)
    set_up: bool = True
    dynamic: bool = False
    label: str = ""
    exact_label: bool = False
    sudo: bool = False
    deaggregate: bool = False
    start: int = 0


class ProcessOptions(Struct, frozen=True):
    """How the program itself runs; `hooks` holds (state or None for every state, command) in running order."""

    acknowledged: bool = True
    pid_file: str = ""
    user: str = ""
    group: str = ""
    hooks: tuple[tuple[State | None, str], ...] = ()
    hook_timeout: float = 60.0


class Options(Struct, frozen=True):
    """Everything that was asked for."""

    logging: Logging = Logging()
    machine: Settings = field(default_factory=Settings)
    check: CheckOptions = CheckOptions()
    addresses: AddressOptions = AddressOptions()
    wording: Wording = field(default_factory=Wording)
    process: ProcessOptions = ProcessOptions()


def parse_prefix(option: str, text: str) -> Network:
    """Return an address or network in CIDR notation; OptionError where it is neither."""
    try:
        return ip_network(text)
    except ValueError:
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            raise OptionError(f"{option} '{text}' is neither an IP address nor a network in CIDR notation") from None
    address = text.partition("/")[0]
    raise OptionError(f"{option} '{text}' has bits beyond its prefix length: expected {network} or {address}")


def parse_interface(text: str) -> tuple[Network, str]:
    """Return address or network and interface of `IP%INTERFACE`."""
    address, separator, interface = text.rpartition("%")
    if not separator or not re.fullmatch(r"[^\s/%]{1,15}", interface):
        raise OptionError(f"--ip-ifname '{text}' is not IP%INTERFACE, such as 192.0.2.1%eth0")
    return parse_prefix("--ip-ifname", address), interface


def parse_changes(text: str) -> tuple[int, float]:
    """Return count and seconds of `N/SECONDS`."""
    match = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)", text)
    if not match or int(match[1]) == 0 or float(match[2]) == 0:
        raise OptionError(f"--max-changes '{text}' is not N/SECONDS with both above 0, such as 4/60")
    return int(match[1]), float(match[2])


def parse_statuses(text: str) -> tuple[range, ...]:
    """Return the HTTP status codes of `200,204,300-399`."""
    ranges = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([1-5]\d\d)(?:-([1-5]\d\d))?\s*", part)
        if not match:
            raise OptionError(f"--http-status '{text}' is not a list of codes and ranges, such as 200,204,300-399")
        ranges.append(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(ranges)


def parse_endpoint(option: str, text: str, port: int | None = None) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, `[IPV6]:PORT`, and where there is a usual `port`, of `HOST`."""
    if port is not None and text.count(":") > 1 and not text.startswith("["):
        return text, port
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+(?:%\S+)?)\]|([^\s:\[\]]+))(?::(\d{1,5}))?", text)
    if not match or not (match[3] or port) or not 0 < int(match[3] or port or 0) < 65536:
        expected = "HOST:PORT or [IPV6]:PORT" if port is None else "HOST, HOST:PORT or [IPV6]:PORT"
        raise OptionError(f"{option} '{text}' is not {expected}")
    return match[1] or match[2], int(match[3] or port or 0)


def parse_query(text: str) -> tuple[str, str, int]:
    """Return name, server and port of `NAME@SERVER`."""
    name, separator, server = text.rpartition("@")
    if not separator or not name:
        raise OptionError(f"--dns '{text}' is not NAME@SERVER, such as www.example.com@192.0.2.53")
    return name, *parse_endpoint("--dns", server, 53)


def check_words(option: str, text: str) -> str:
    """Return text that goes into a printed line; OptionError where it would break the line."""
    if any(not character.isprintable() for character in text):
        raise OptionError(f"{option} {text!r} has characters that cannot stand in a command")
    return text


def hosts(option: str, network: Network) -> Iterator[Network]:
    """Return every address of a network, each as a network of its own; OptionError where they are too many."""
    if network.num_addresses > MAX_ADDRESSES:
        raise OptionError(
            f"{option} {network} has {network.num_addresses} addresses, of which at most {MAX_ADDRESSES} can be "
            "handled one by one: announce it whole and use --no-ip-setup"
        )
    return (ip_network(address) for address in network)


def prefixes_to_announce(found: list[Network], options: AddressOptions) -> list[Network]:
    """Return the prefixes in the order of their metrics, each once."""
    prefixes = list(dict.fromkeys(found))
    if options.deaggregate:
        each = [host for prefix in prefixes for host in hosts("--deaggregate-networks:", prefix)]
        prefixes = list(dict.fromkeys(each))
    start = options.start % len(prefixes) if prefixes else 0
    return prefixes[start:] + prefixes[:start]


def check_next_hop(text: str) -> str:
    """Return a next hop: `self` or an address."""
    if text != "self":
        try:
            ip_address(text)
        except ValueError:
            raise OptionError(f"--next-hop '{text}' is neither an IP address nor self") from None
    return text
