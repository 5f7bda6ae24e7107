"""How the sessions of a range are called: a neighbor that is a range has one for each address that connects.

A session is called as its neighbor is; one of a range is called ADDRESS@RANGE, such as `192.0.2.7@192.0.2.0/24`.
Wherever a message names a neighbor, such a name stands for that one session, and for its routes.
"""

from __future__ import annotations


def session_name(neighbor: str, address: str) -> str:
    """Return the name of a range's session with one address."""
    return f"{address}@{neighbor}"


def neighbor_of(name: str) -> str:
    """Return the neighbor that a session belongs to: itself, but for one of a range."""
    return name.rpartition("@")[2]


def address_of(name: str) -> str:
    """Return the address of a session of a range, and nothing for any other name."""
    return name.rpartition("@")[0]
