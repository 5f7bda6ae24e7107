"""Routes and commands, made from a seed: the same seed makes the same cases."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tools.differential.run import Case

ALL = "family { all; }"


def ipv4(random: Random) -> str:
    """Return an address."""
    return ".".join(str(random.randrange(1, 224 if place == 0 else 255)) for place in range(4))


def prefix4(random: Random) -> str:
    """Return an IPv4 prefix without host bits, neither loopback nor multicast."""
    length = random.randrange(9, 33)
    value = random.randrange(1, 126) << 24 | random.getrandbits(24)
    value &= ~((1 << 32 - length) - 1)
    return ".".join(str(octet) for octet in value.to_bytes(4, "big")) + f"/{length}"


def prefix6(random: Random) -> str:
    """Return an IPv6 prefix; longer than 32 bits, because ExaBGP refuses some shorter ones in configurations."""
    length = random.choice((33, 40, 48, 56, 64, 65, 96, 127, 128))
    value = (0x20010DB8 << 96 | random.getrandbits(96)) & ~((1 << 128 - length) - 1)
    groups = [f"{value >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    return ":".join(groups) + f"/{length}"


def rd(random: Random) -> str:
    """Return a route distinguisher of one of the three types."""
    return random.choice(
        (
            f"{random.randrange(1, 65536)}:{random.randrange(2**31)}",
            f"{ipv4(random)}:{random.randrange(65536)}",
            f"{random.randrange(65536, 2**31)}:{random.randrange(65536)}",
        )
    )


def number(random: Random) -> int:
    """Return a 32-bit number, small ones more often."""
    return random.choice((0, 1, 100, 65535, 65536, 2**32 - 1, random.getrandbits(32)))


def _listed(random: Random, make: Callable[[], str]) -> str:
    values = [make() for _ in range(random.randrange(1, 5))]
    return f"[ {' '.join(values)} ]" if len(values) > 1 or random.random() < 0.5 else values[0]


def _pair(random: Random) -> str:
    return random.choice((f"{random.randrange(65536)}:{random.randrange(65536)}", "no-export", "blackhole", "no-peer"))


def _extended(random: Random) -> str:
    high, low = random.randrange(1, 65536), random.randrange(65536)
    # 4-octet AS numbers are left out: ExaBGP gives them the type of IPv4 addresses (docs/compatibility.md).
    return random.choice((f"target:{high}:{low}", f"origin:{high}:{low}", f"target:{ipv4(random)}:{low}"))


def attributes(random: Random) -> str:
    """Return some attributes in text, in any order."""
    asns = " ".join(str(random.choice((65010, 1, 65535, 70000, 4200000000))) for _ in range(random.randrange(0, 6)))
    triple = f"{number(random)}:{number(random)}:{number(random)}"
    unknown = f"0x{random.randrange(0x80, 0xF0):02x} 0xc0 0x{random.getrandbits(64):016x}"
    choices = [
        f"origin {random.choice(('igp', 'egp', 'incomplete'))}",
        f"med {number(random)}",
        f"local-preference {number(random)}",
        f"as-path [ {asns} ]" + (f" ( {random.randrange(1, 65536)} )" if random.random() < 0.2 else ""),
        f"community {_listed(random, lambda: _pair(random))}",
        f"large-community [ {triple} ]",
        f"extended-community {_listed(random, lambda: _extended(random))}",
        "atomic-aggregate",
        f"aggregator ( {random.choice((65001, 70000))}:{ipv4(random)} )",
        f"originator-id {ipv4(random)}",
        f"cluster-list [ {ipv4(random)} {ipv4(random)} ]",
        f"aigp {number(random)}",
        f"attribute [ {unknown} ]",
    ]
    return " ".join(random.sample(choices, random.randrange(0, 7)))


def unicast(random: Random) -> str:
    """Return what follows `announce` for a unicast route."""
    if random.random() < 0.5:
        return f"route {prefix4(random)} next-hop {ipv4(random)} {attributes(random)}"
    return f"route {prefix6(random)} next-hop 2001:db8::{random.randrange(1, 9)} {attributes(random)}"


def labelled(random: Random) -> str:
    """Return a labelled or VPN route."""
    label = random.choice(
        (f"{random.randrange(16, 2**20)}", f"[ {random.randrange(16, 999)} {random.randrange(999)} ]")
    )
    distinguisher = f"rd {rd(random)} " if random.random() < 0.6 else ""
    if random.random() < 0.6:
        return f"route {prefix4(random)} {distinguisher}label {label} next-hop {ipv4(random)} {attributes(random)}"
    return f"route {prefix6(random)} {distinguisher}label {label} next-hop 2001:db8::1 {attributes(random)}"


def flow(random: Random) -> str:
    """Return a flow rule."""
    protocol = random.choice(("tcp", "udp", "[ =6 =17 ]", "icmp"))
    port = random.choice(("=80", "[ =80 =443 ]", "[ >1024&<2048 ]", f"!={random.randrange(1, 65536)}"))
    components = [
        f"destination {prefix4(random)}",
        f"source {prefix4(random)}",
        f"protocol {protocol}",
        f"port {port}",
        f"destination-port {port}",
        f"source-port {port}",
        f"tcp-flags {random.choice(('syn', '[ =syn+ack ]', '[ !rst syn ]'))}",
        f"packet-length {random.choice(('=64', '[ >200&<300 ]', '>1500'))}",
        f"dscp {random.randrange(64)}",
        f"fragment {random.choice(('first-fragment', '[ is-fragment last-fragment ]', 'dont-fragment'))}",
        f"icmp-type {random.choice(('echo-request', '8', '[ =3 =11 ]'))}",
    ]
    actions = (
        "discard",
        f"rate-limit {random.randrange(1, 10**7)}",
        f"redirect {random.randrange(1, 65536)}:{random.randrange(65536)}",
        f"mark {random.randrange(64)}",
        f"action {random.choice(('sample', 'terminal', 'sample-terminal'))}",
        f"redirect {ipv4(random)}",
        "accept",
    )
    chosen = random.sample(components, random.randrange(1, 5))
    match, action = "; ".join(chosen), random.choice(actions)
    distinguisher = f"rd {rd(random)}; " if random.random() < 0.2 else ""
    return f"flow route {{ {distinguisher}match {{ {match}; }} then {{ {action}; }} }}"


def vpls(random: Random) -> str:
    """Return a VPLS route; ExaBGP knows neither `aigp` nor `large-community` for one."""
    sizes = f"base {random.randrange(65536)} offset {random.randrange(65536)} size {random.randrange(1, 65536)}"
    said = attributes(random)
    while "aigp" in said or "large-community" in said:
        said = attributes(random)
    return f"vpls rd {rd(random)} endpoint {random.randrange(65536)} {sizes} next-hop {ipv4(random)} {said}"


def multicast_vpn(random: Random) -> str:
    """Return an MVPN route."""
    source, group, distinguisher = ipv4(random), f"239.{random.randrange(256)}.1.2", rd(random)
    kind = random.choice(
        (
            f"source-ad source {source} group {group} rd {distinguisher}",
            f"shared-join rp {source} group {group} rd {distinguisher} source-as {random.randrange(1, 2**32)}",
            f"source-join source {source} group {group} rd {distinguisher} source-as {random.randrange(1, 2**32)}",
        )
    )
    return f"ipv4 mcast-vpn {kind} next-hop {ipv4(random)} {attributes(random)}"


def mobile_user_plane(random: Random) -> str:
    """Return a MUP route."""
    teid, prefix, endpoint = random.getrandbits(32), prefix4(random), ipv4(random)
    kind = random.choice(
        (
            f"mup-isd {prefix4(random)} rd {rd(random)}",
            f"mup-dsd {ipv4(random)} rd {rd(random)}",
            f"mup-t1st {prefix} rd {rd(random)} teid {teid} qfi {random.randrange(64)} endpoint {endpoint}",
            f"mup-t2st {ipv4(random)} rd {rd(random)} teid {teid}/32",
        )
    )
    community = f"extended-community [ target:{random.randrange(1, 65536)}:{random.randrange(65536)} ]"
    return f"ipv4 mup {kind} next-hop {ipv4(random)} {community}"


FAMILIES: dict[str, Callable[[Random], str]] = {
    "unicast": unicast,
    "labelled": labelled,
    "flow": flow,
    "vpls": vpls,
    "mcast-vpn": multicast_vpn,
    "mup": mobile_user_plane,
}

NEIGHBORS: dict[str, tuple[str, int, int]] = {
    "ibgp": (ALL, 65001, 65001),
    "ebgp": (ALL, 65001, 65002),
    "as4": (ALL, 70000, 65002),
    "asn4-off": (f"capability {{ asn4 disable; }}\n{ALL}", 65001, 65002),
    "add-path": (f"capability {{ add-path send/receive; aigp enable; }}\n{ALL}", 65001, 65002),
    "separate": (f"group-updates false;\n{ALL}", 65001, 65001),
}


def cases(family: str, seed: int, count: int) -> list[Case]:
    """Return a case for each kind of neighbor, with about `count` commands in all; a third are withdrawals."""
    made = []
    for name, (body, local_as, peer_as) in NEIGHBORS.items():
        random = Random(f"{seed} {family} {name}")
        commands: list[str] = []
        for _ in range(max(1, count // len(NEIGHBORS))):
            route = FAMILIES[family](random)
            if name == "add-path" and family in ("unicast", "labelled"):
                route += f" path-information {number(random)}"
            commands.append(f"announce {route}")
            # ExaBGP withdraws a whole stack of labels, which nobody can read (docs/compatibility.md).
            if random.random() < 0.3 and "label [" not in route:
                # Apart, so that both speakers are done with the announcement.
                commands += ["@sleep 0.06", f"withdraw {route}", "@sleep 0.06"]
        made.append(Case(f"{family} {name}", body, tuple(commands), local_as, peer_as))
    return made
