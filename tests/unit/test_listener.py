"""Which neighbor a connection belongs to."""

from __future__ import annotations

import pytest

from bus.settings import PassiveNeighbor
from peerd.listener import Expected


def neighbor(peer: str, local: str = "") -> PassiveNeighbor:
    """Return a neighbor that is only told from others by its addresses."""
    return PassiveNeighbor(f"{peer} {local}".strip(), "peerd-1", peer, local, b"", None, None)


NEIGHBORS = [
    neighbor("192.0.2.0/24"),
    neighbor("192.0.2.128/25"),
    neighbor("192.0.2.129"),
    neighbor("198.51.100.1", "203.0.113.1"),
    neighbor("198.51.100.1", "203.0.113.2"),
    neighbor("198.51.100.0/24", "203.0.113.3"),
    neighbor("2001:db8::1"),
    neighbor("2001:db8::/32"),
]


@pytest.mark.parametrize(
    ("peer", "local", "expected"),
    [
        ("192.0.2.129", "203.0.113.1", "192.0.2.129"),
        ("192.0.2.130", "203.0.113.1", "192.0.2.128/25"),
        ("192.0.2.1", "203.0.113.1", "192.0.2.0/24"),
        ("198.51.100.1", "203.0.113.2", "198.51.100.1 203.0.113.2"),
        ("198.51.100.1", "203.0.113.3", "198.51.100.0/24 203.0.113.3"),
        ("198.51.100.2", "203.0.113.1", None),
        ("2001:db8::1", "2001:db8::ffff", "2001:db8::1"),
        ("2001:db8::2", "2001:db8::ffff", "2001:db8::/32"),
        ("203.0.113.9", "203.0.113.1", None),
    ],
)
def test_a_connection_is_for_the_exact_address_then_the_narrowest_range(
    peer: str, local: str, expected: str | None
) -> None:
    found = Expected(NEIGHBORS).find(peer, local)
    assert (found.name if found else None) == expected
