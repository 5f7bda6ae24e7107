"""Every option of the environment as data: its type, its default, how it is read and written, what it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from socket import AF_INET, AF_INET6, inet_pton
from typing import Annotated, Any

from msgspec import Struct

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


class Kind(Struct, frozen=True):
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


class Meaning(Struct, frozen=True):
    """What annotates an option: how it is read and written, and what it does.

    One with a `reason` is accepted so that files of ExaBGP load, where it means what `help` says, and nothing here.
    """

    kind: Kind
    help: str
    reason: str = ""


def _debug(kind: Kind) -> Meaning:
    """Mean something to the authors of ExaBGP alone: it is not listed."""
    return Meaning(kind, "", "for the authors of ExaBGP")


class ApiOptions(Struct, frozen=True):
    """Helpers, and the commands of people."""

    ack: Annotated[bool, Meaning(BOOLEAN, "answer each command with 'done' or 'error'")] = True
    chunk: Annotated[
        int,
        Meaning(
            _integer(1, 1_000_000),
            "lines printed at once by commands that show tables",
            "tables are sent in parts of bounded size, and nothing waits for them",
        ),
    ] = 1
    cli: Annotated[bool, Meaning(BOOLEAN, "serve the named pipes of ExaBGP's command line, where they are")] = True
    compact: Annotated[bool, Meaning(BOOLEAN, "print a prefix in JSON as a string instead of an object")] = False
    encoder: Annotated[str, Meaning(ENCODER, "the encoder of processes that name none")] = "json"
    memory: Annotated[int, Meaning(_integer(0, 65536), "MiB of events that wait for a helper in memory")] = 64
    pipename: Annotated[str, Meaning(PIPE_NAME, "the name of those pipes, without '.in' and '.out'")] = "exabgp"
    respawn: Annotated[bool, Meaning(BOOLEAN, "start helpers again when they end")] = True
    show_routes_format: Annotated[str, Meaning(ROUTES_FORMAT, "the JSON of 'show adj-rib': v1 or v2")] = "v1"
    spool: Annotated[
        int, Meaning(_integer(0, 1_048_576), "MiB of events that then wait on disk, before they are dropped")
    ] = 1024
    terminate: Annotated[bool, Meaning(BOOLEAN, "end the daemon when a helper ends by itself")] = False


class BgpOptions(Struct, frozen=True):
    """All sessions."""

    openwait: Annotated[int, Meaning(_integer(1, 3600), "seconds to wait for the peer's OPEN")] = 60
    passive: Annotated[bool, Meaning(BOOLEAN, "wait for every peer to connect")] = False


class CacheOptions(Struct, frozen=True):
    """Memory: equal attributes are always stored once."""

    attributes: Annotated[
        bool, Meaning(BOOLEAN, "store equal attributes once", "equal attributes are always stored once")
    ] = True
    nexthops: Annotated[
        bool, Meaning(BOOLEAN, "store equal next hops once", "equal next hops are always stored once")
    ] = True


class DaemonOptions(Struct, frozen=True):
    """The daemon as a process."""

    daemonize: Annotated[bool, Meaning(BOOLEAN, "run in the background")] = False
    drop: Annotated[bool, Meaning(BOOLEAN, "drop privileges before helpers start")] = True
    durability: Annotated[
        str, Meaning(DURABILITY, "what routes survive: the death of any process, or with 'disk' that of the host too")
    ] = "memory"
    pid: Annotated[str, Meaning(TEXT, "the file that holds the process id of 'bgpbus run'")] = ""
    state: Annotated[str, Meaning(TEXT, "the directory of the routes that survive the host")] = "/var/lib/bgpbus"
    umask: Annotated[int, Meaning(OCTAL, "the umask of the daemon and its helpers, octal")] = 0o137
    user: Annotated[str, Meaning(TEXT, "the user to become")] = "nobody"


class LogOptions(Struct, frozen=True):
    """What is logged, and where."""

    all: Annotated[bool, Meaning(BOOLEAN, "log every category, whatever its own option says")] = False
    configuration: Annotated[
        bool,
        Meaning(
            BOOLEAN,
            "log the reading of the configuration",
            "a configuration is read when someone asks for it, and errors must be seen",
        ),
    ] = True
    daemon: Annotated[bool, Meaning(BOOLEAN, "log what 'bgpbus run', the broker and the RIB do")] = True
    destination: Annotated[str, Meaning(TEXT, "stdout, stderr, syslog, host:NAME, file:PATH or a path")] = "stdout"
    enable: Annotated[bool, Meaning(BOOLEAN, "log at all")] = True
    level: Annotated[str, Meaning(LEVEL, "the lowest level that is logged")] = "INFO"
    message: Annotated[bool, Meaning(BOOLEAN, "log BGP messages, decoded", "`bgpbus tap` shows them, decoded")] = False
    network: Annotated[bool, Meaning(BOOLEAN, "log what sessions and the listener do")] = True
    packets: Annotated[bool, Meaning(BOOLEAN, "log BGP messages as octets", "`bgpbus tap` shows octets")] = False
    parser: Annotated[bool, Meaning(BOOLEAN, "log the parser", "`bgpbus validate` shows what was read")] = False
    processes: Annotated[bool, Meaning(BOOLEAN, "log what helpers and their bridges do and say")] = True
    reactor: Annotated[bool, Meaning(BOOLEAN, "log what control does: reloads, commands")] = True
    rib: Annotated[
        bool,
        Meaning(
            BOOLEAN,
            "log changes of the announced routes",
            "`bgpbus tap` shows each change, `bgpbus show adj-rib out` the routes",
        ),
    ] = False
    routes: Annotated[
        bool, Meaning(BOOLEAN, "log received routes", "`bgpbus tap` and `bgpbus show adj-rib in` show them")
    ] = False
    short: Annotated[bool, Meaning(BOOLEAN, "log without date and time")] = False
    statistics: Annotated[
        bool, Meaning(BOOLEAN, "log statistics", "`bgpbus status` and `bgpbus show neighbor` show them")
    ] = True
    timers: Annotated[bool, Meaning(BOOLEAN, "log KEEPALIVE timers", "`log.level` DEBUG has what there is")] = False


class PdbOptions(Struct, frozen=True):
    """The debugger."""

    enable: Annotated[
        bool,
        Meaning(
            BOOLEAN,
            "start the debugger on a fault",
            "the processes are ordinary ones: attach a debugger to that which is of interest",
        ),
    ] = False


class ProfileOptions(Struct, frozen=True):
    """The profiler."""

    enable: Annotated[bool, Meaning(BOOLEAN, "profile the daemon", "attach a profiler to a process by its id")] = False
    file: Annotated[str, Meaning(TEXT, "where to write the profile", "as `profile.enable`")] = ""


class ReactorOptions(Struct, frozen=True):
    """The loop."""

    speed: Annotated[
        float,
        Meaning(
            REAL, "a factor of how long the loop sleeps", "there is no such loop: every process waits for what comes"
        ),
    ] = 1.0


class TcpOptions(Struct, frozen=True):
    """Connections and listeners."""

    acl: Annotated[bool, Meaning(BOOLEAN, "experimental", "a firewall does it")] = False
    attempts: Annotated[
        int,
        Meaning(
            _integer(0, 1_000_000),
            "attempts to connect to a peer, 0 for no end; with the last of all peers, bgpbus ends",
        ),
    ] = 0
    bind: Annotated[tuple[str, ...], Meaning(ADDRESSES, "the addresses to listen on")] = ()
    delay: Annotated[
        int, Meaning(_integer(0, 1440), "start when the clock reaches a multiple of N minutes, 0 for at once")
    ] = 0
    once: Annotated[bool, Meaning(BOOLEAN, "connect to each peer once, as tcp.attempts 1")] = False
    port: Annotated[int, Meaning(_integer(1, 65535), "the port to listen on and to connect to")] = 179


class DebugOptions(Struct, frozen=True):
    """For the authors of ExaBGP: accepted, without effect, and not listed."""

    configuration: Annotated[bool, _debug(BOOLEAN)] = False
    defensive: Annotated[bool, _debug(BOOLEAN)] = False
    memory: Annotated[bool, _debug(BOOLEAN)] = False
    pdb: Annotated[bool, _debug(BOOLEAN)] = False
    rotate: Annotated[bool, _debug(BOOLEAN)] = False
    route: Annotated[str, _debug(TEXT)] = ""
    selfcheck: Annotated[bool, _debug(BOOLEAN)] = False


class Environment(Struct, frozen=True):
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
