"""Word what the health check prints: one `announce route` or `withdraw route` line for each prefix."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from msgspec import Struct, field

from apid.healthcheck.machine import State

Network = IPv4Network | IPv6Network


class Wording(Struct, frozen=True):
    """What is announced, beside the prefixes; texts are in the words of the command grammar, "" is absent.

    `metrics` are the first prefix's, in UP, DOWN and DISABLED; each further prefix adds `increase`.
    `as_paths` holds those of a state, which go before `as_path`; `disabled_community` goes before `community` in
    every state but UP. A `local_preference` below 0 is absent.
    """

    next_hop: str = "self"
    neighbors: tuple[str, ...] = ()
    metrics: dict[State, int] = field(default_factory=dict)
    increase: int = 1
    local_preference: int = -1
    community: str = ""
    extended_community: str = ""
    large_community: str = ""
    disabled_community: str = ""
    as_path: str = ""
    as_paths: dict[State, str] = field(default_factory=dict)
    path_id: str = ""
    withdraw_on_down: bool = False


def lines(state: State, prefixes: list[Network], wording: Wording) -> list[str]:
    """Return the commands of a state (UP, DOWN, DISABLED or EXIT), in the order of the prefixes."""
    selector = ", ".join(f"neighbor {name}" for name in wording.neighbors or ("*",))
    withdraw = state is State.EXIT or (state is not State.UP and wording.withdraw_on_down)
    suffix = f" path-information {wording.path_id}" if wording.path_id else ""
    if withdraw:
        return [f"{selector} withdraw route {prefix} next-hop {wording.next_hop}{suffix}" for prefix in prefixes]
    attributes = "".join(_attributes(state, wording))
    return [
        f"{selector} announce route {prefix} next-hop {wording.next_hop}"
        f" med {wording.metrics[state] + index * wording.increase}{attributes}{suffix}"
        for index, prefix in enumerate(prefixes)
    ]


def _attributes(state: State, wording: Wording) -> Iterator[str]:
    if wording.local_preference >= 0:
        yield f" local-preference {wording.local_preference}"
    community = wording.community
    if state is not State.UP and wording.disabled_community:
        community = wording.disabled_community
    as_path = wording.as_paths.get(state) or wording.as_path
    for keyword, text in (
        ("community", community),
        ("extended-community", wording.extended_community),
        ("large-community", wording.large_community),
        ("as-path", as_path),
    ):
        if text:
            yield f" {keyword} [ {text} ]"
