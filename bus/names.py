"""The names of sessions: a neighbor that is a range has one for each address that connects.

A neighbor is named by its address; where several have one address, `~` and a digest follow. A session has the name of
its neighbor; one of a range is named ADDRESS@RANGE, such as `192.0.2.7@192.0.2.0/24`. Wherever a message names a
neighbor, such a name stands for that one session, and for its routes.
"""

from __future__ import annotations


def session_name(neighbor: str, address: str) -> str:
    """Return the name of a range's session with one address."""
    return f"{address}@{neighbor}"


def neighbor_of(name: str) -> str:
    """Return the neighbor that a session belongs to: its range, or else its own name."""
    return name.rpartition("@")[2]


def address_of(name: str) -> str:
    """Return the address of a session of a range; empty for any other name."""
    return name.rpartition("@")[0]


def own_address(neighbor: str) -> str:
    """Return the address, or the prefix, that a neighbor's name begins with."""
    return neighbor.partition("~")[0]
