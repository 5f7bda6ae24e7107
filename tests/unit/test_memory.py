"""What is remembered has a bound in octets, whatever a peer or a helper sends."""

from __future__ import annotations

from apid.memory import ENTRY_OCTETS, Memory

MOST = 1024 * 1024


def test_what_was_said_is_found_by_the_octets_that_say_it() -> None:
    memory = Memory[bytes, str](MOST)
    assert memory.keep(b"one", "eins", 7) == "eins"
    assert memory.known == {b"one": "eins"}


def test_long_octets_again_and_again_fill_no_memory() -> None:
    memory = Memory[bytes, str](MOST)
    text = "x" * 100_000
    for number in range(1000):
        memory.keep(number.to_bytes(4, "big"), text, len(text))
        assert len(memory.known) * (len(text) + ENTRY_OCTETS) <= MOST
    assert memory.known[(999).to_bytes(4, "big")] is text
