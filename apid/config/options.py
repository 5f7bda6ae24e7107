"""Every option of the environment as data: its type, its default, how it is read and written, what it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

_TRUE = frozenset(("1", "yes", "on", "enable", "enabled", "true"))
_FALSE = frozenset(("0", "no", "off", "disable", "disabled", "false", ""))
_LEVELS = {
    "EMERG": "CRITICAL",
    "ALERT": "CRITICAL",
    "CRIT": "CRITICAL",
    "CRITICAL": "CRITICAL",
    "ERR": "ERROR",
    "ERROR": "ERROR",
    "WARN": "WARNING",
    "WARNING": "WARNING",
    "NOTICE": "INFO",
    "INFO": "INFO",
    "DEBUG": "DEBUG",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """How an option's value is read, raising `ValueError` with what was expected, and how it is written.

    `syntax` tells the manual what is accepted.
    """

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    syntax: str


def _boolean(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("true or false expected")


def _integer(low: int, high: int) -> Kind:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"a number from {low} to {high} expected")
        return int(text)

    return Kind(read, str, f"{low}..{high}")


def _real(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1000:
        raise ValueError("a number above 0 and below 1000 expected")
    return number


def _octal(text: str) -> int:
    digits = text.lower().removeprefix("0o")
    if not re.fullmatch(r"[0-7]{1,5}", digits) or int(digits, 8) > 0o777:
        raise ValueError("an octal number up to 0777 expected")
    return int(digits, 8)


def _level(text: str) -> str:
    level = _LEVELS.get(text.upper())
    if level is None:
        raise ValueError("one of CRITICAL, ERROR, WARNING, INFO, DEBUG expected")
    return level


def _one_of(*words: str) -> Kind:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{' or '.join(words)} expected")
        return text.lower()

    return Kind(read, str, " | ".join(words))


def _addresses(text: str) -> tuple[str, ...]:
    found = tuple(text.replace(",", " ").split())
    for address in found:
        try:
            inet_pton(AF_INET6 if ":" in address else AF_INET, address)
        except OSError:
            raise ValueError(f"IP addresses separated by spaces expected, '{address}' is none") from None
    return found


def _pipe_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError("a name of letters, digits, '.', '_' and '-' expected")
    return text


BOOLEAN = Kind(_boolean, lambda value: "true" if value else "false", "true | false")
TEXT = Kind(str, lambda value: f"'{value}'", "text")
REAL = Kind(_real, str, "number above 0")
OCTAL = Kind(_octal, lambda value: f"'{value:#o}'", "0..0777, octal")
LEVEL = Kind(_level, str, "CRITICAL | ERROR | WARNING | INFO | DEBUG")
ADDRESSES = Kind(_addresses, lambda value: f"'{' '.join(value)}'", "IP addresses")
PIPE_NAME = Kind(_pipe_name, lambda value: f"'{value}'", "name")
ENCODER = _one_of("text", "json")
ROUTES_FORMAT = _one_of("v1", "v2")
DURABILITY = _one_of("memory", "disk")


def _option(kind: Kind, default: Any, text: str, reason: str = "") -> Any:
    """Make a field that carries its kind and its help; one with a `reason` is read and means nothing here."""
    return field(default=default, metadata={"kind": kind, "help": text, "reason": reason})


def _ignored(kind: Kind, default: Any, text: str, reason: str) -> Any:
    """Make a field that is accepted so that files of ExaBGP load; `text` says what it means there."""
    return _option(kind, default, text, reason)


def _debug(kind: Kind, default: Any) -> Any:
    """Make a field for the authors of ExaBGP, which is not listed."""
    return _ignored(kind, default, "", "for the authors of ExaBGP")


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """Helpers, and the commands of people."""

    ack: bool = _option(BOOLEAN, True, "answer each command with 'done' or 'error'")
    chunk: int = _ignored(
        _integer(1, 1_000_000),
        1,
        "lines printed at once by commands that show tables",
        "tables are sent in parts of bounded size, and nothing waits for them",
    )
    cli: bool = _option(BOOLEAN, True, "serve the named pipes of ExaBGP's command line client, where they are")
    compact: bool = _option(BOOLEAN, False, "print a prefix in JSON as a string instead of an object")
    encoder: str = _option(ENCODER, "json", "the encoder of processes that name none")
    memory: int = _option(_integer(0, 65536), 64, "MiB of events that wait for a helper in memory")
    pipename: str = _option(PIPE_NAME, "exabgp", "the name of those pipes, without '.in' and '.out'")
    respawn: bool = _option(BOOLEAN, True, "start helpers again when they end")
    show_routes_format: str = _option(ROUTES_FORMAT, "v1", "the JSON of 'show adj-rib': v1 or v2")
    spool: int = _option(_integer(0, 1_048_576), 1024, "MiB of events that then wait on disk, before they are dropped")
    terminate: bool = _option(BOOLEAN, False, "end the daemon when a helper ends by itself")


@dataclass(frozen=True, slots=True)
class BgpOptions:
    """All sessions."""

    openwait: int = _option(_integer(1, 3600), 60, "seconds to wait for the peer's OPEN")
    passive: bool = _option(BOOLEAN, False, "wait for every peer to connect")


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Memory: equal attributes are always stored once."""

    attributes: bool = _ignored(BOOLEAN, True, "store equal attributes once", "equal attributes are always stored once")
    nexthops: bool = _ignored(BOOLEAN, True, "store equal next hops once", "equal next hops are always stored once")


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """The daemon as a process."""

    daemonize: bool = _option(BOOLEAN, False, "run in the background")
    drop: bool = _option(BOOLEAN, True, "drop privileges before helpers start")
    durability: str = _option(
        DURABILITY, "memory", "what routes survive: the death of any process, or with 'disk' that of the host too"
    )
    pid: str = _option(TEXT, "", "the file that holds the process id of 'bgpbus run'")
    state: str = _option(TEXT, "/var/lib/bgpbus", "the directory of the routes that survive the host")
    umask: int = _option(OCTAL, 0o137, "the umask of the daemon and its helpers, octal")
    user: str = _option(TEXT, "nobody", "the user to become")


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What is logged, and where."""

    all: bool = _option(BOOLEAN, False, "log every category, whatever its own option says")
    configuration: bool = _ignored(
        BOOLEAN,
        True,
        "log the reading of the configuration",
        "a configuration is read when someone asks for it, and errors must be seen",
    )
    daemon: bool = _option(BOOLEAN, True, "log what 'bgpbus run', the broker and the RIB do")
    destination: str = _option(TEXT, "stdout", "stdout, stderr, syslog, host:NAME, file:PATH or a path")
    enable: bool = _option(BOOLEAN, True, "log at all")
    level: str = _option(LEVEL, "INFO", "the lowest level that is logged")
    message: bool = _ignored(BOOLEAN, False, "log BGP messages, decoded", "`bgpbus tap` shows messages, decoded")
    network: bool = _option(BOOLEAN, True, "log what sessions and the listener do")
    packets: bool = _ignored(BOOLEAN, False, "log BGP messages as octets", "`bgpbus tap` shows messages, as octets")
    parser: bool = _ignored(BOOLEAN, False, "log the parser", "`bgpbus validate` shows what was read")
    processes: bool = _option(BOOLEAN, True, "log what helpers and their bridges do and say")
    reactor: bool = _option(BOOLEAN, True, "log what control does: reloads, commands")
    rib: bool = _ignored(
        BOOLEAN,
        False,
        "log changes of the announced routes",
        "`bgpbus tap` shows each change, `bgpbus show adj-rib out` the routes",
    )
    routes: bool = _ignored(
        BOOLEAN, False, "log received routes", "`bgpbus tap` and `bgpbus show adj-rib in` show them"
    )
    short: bool = _option(BOOLEAN, False, "log without date and time")
    statistics: bool = _ignored(BOOLEAN, True, "log statistics", "`bgpbus status` and `bgpbus show neighbor` show them")
    timers: bool = _ignored(BOOLEAN, False, "log KEEPALIVE timers", "`log.level` DEBUG has what there is")


@dataclass(frozen=True, slots=True)
class PdbOptions:
    """The debugger."""

    enable: bool = _ignored(
        BOOLEAN,
        False,
        "start the debugger on a fault",
        "the processes are ordinary ones: attach a debugger to that which is of interest",
    )


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """The profiler."""

    enable: bool = _ignored(BOOLEAN, False, "profile the daemon", "a profiler is attached to a process by its id")
    file: str = _ignored(TEXT, "", "where to write the profile", "as `profile.enable`")


@dataclass(frozen=True, slots=True)
class ReactorOptions:
    """The loop."""

    speed: float = _ignored(
        REAL, 1.0, "a factor of how long the loop sleeps", "there is no such loop: every process waits for what comes"
    )


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """Connections and listeners."""

    acl: bool = _ignored(BOOLEAN, False, "experimental", "a firewall does it")
    attempts: int = _option(
        _integer(0, 1_000_000),
        0,
        "attempts to connect to a peer, 0 for no end; with the last of all peers, bgpbus ends",
    )
    bind: tuple[str, ...] = _option(ADDRESSES, (), "the addresses to listen on")
    delay: int = _option(_integer(0, 1440), 0, "start when the clock reaches a multiple of N minutes, 0 for at once")
    once: bool = _option(BOOLEAN, False, "connect to each peer once, as tcp.attempts 1")
    port: int = _option(_integer(1, 65535), 179, "the port to listen on and to connect to")


@dataclass(frozen=True, slots=True)
class DebugOptions:
    """For the authors of ExaBGP: accepted, without effect, and not listed."""

    configuration: bool = _debug(BOOLEAN, False)
    defensive: bool = _debug(BOOLEAN, False)
    memory: bool = _debug(BOOLEAN, False)
    pdb: bool = _debug(BOOLEAN, False)
    rotate: bool = _debug(BOOLEAN, False)
    route: str = _debug(TEXT, "")
    selfcheck: bool = _debug(BOOLEAN, False)


@dataclass(frozen=True, slots=True)
class Environment:
    """All options, by section."""

    api: ApiOptions = ApiOptions()
    bgp: BgpOptions = BgpOptions()
    cache: CacheOptions = CacheOptions()
    daemon: DaemonOptions = DaemonOptions()
    log: LogOptions = LogOptions()
    pdb: PdbOptions = PdbOptions()
    profile: ProfileOptions = ProfileOptions()
    reactor: ReactorOptions = ReactorOptions()
    tcp: TcpOptions = TcpOptions()
    debug: DebugOptions = DebugOptions()


HIDDEN_SECTIONS = frozenset(("debug",))
SYNONYMS = {"tcp.connections": "tcp.attempts"}
OTHER_RELEASES = frozenset(("api.version", "api.socketname", "bgp.paths_limit_audit", "cli.pipe"))
"""Names that other releases of ExaBGP know and that mean nothing here."""
