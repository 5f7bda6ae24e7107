"""What a class of NLRI has here: how its routes are written as text, and as members of a JSON object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from bgp.nlri import NLRI

NO_SERVICES: Services = {}


class Row(NamedTuple):
    """The two functions of a class; the class is the row's to know.

    text: (route, " path-information …" or empty, " next-hop …" or empty, names of ports) -> text.
    members: (route, text of its next hop or empty, dialect) -> members, joined. They leave out what the place in an
    event says anyhow: the prefix where it is the key, the next hop where that is the key. `path-information` is the
    caller's, who knows whether ADD-PATH was negotiated.
    """

    text: Callable[[Any, str, str, Services], str]
    members: Callable[[Any, str, Dialect], str]


def raw(route: NLRI) -> str:
    """Render the octets of a route as capital digits."""
    return route.encode().hex().upper()


def coded(code: int, name: str, route: NLRI) -> str:
    """Render the members that routes with a type begin with."""
    return f'"code": {code}, "parsed": true, "raw": "{raw(route)}", "name": "{name}"'


def label_json(label: int, word: bool) -> str:
    """Render a raw 24-bit label word as `[label]`, or `[label, word]`; zero stands alone."""
    return f"[{label >> 4}, {label}]" if word and label else f"[{label >> 4}]"
