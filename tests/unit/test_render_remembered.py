"""What is remembered of rendered attributes has a bound in octets, whatever a peer sends."""

from __future__ import annotations

from apid.render.remembered import REMEMBERED_OCTETS, Remembered


def test_texts_are_found_by_the_octets_they_were_rendered_from() -> None:
    known = Remembered[str]()
    known.keep(b"one", "eins", 4)
    assert known.get(b"one") == "eins"
    assert known.get(b"two") is None


def test_a_peer_that_sends_long_attributes_again_and_again_fills_no_memory() -> None:
    known = Remembered[str]()
    text = "x" * 100_000
    for number in range(1000):
        known.keep(number.to_bytes(4, "big"), text, len(text))
        assert len(known) * (len(text) + 4) <= REMEMBERED_OCTETS
    assert known[(999).to_bytes(4, "big")] is text
