"""Damage octets and text, by a random generator that the caller seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

LONGEST = 70_000  # octets: a little more than the longest message

_OCTETS = (0, 1, 2, 3, 4, 5, 7, 8, 14, 15, 16, 19, 24, 31, 32, 33, 64, 96, 127, 128, 129, 240, 254, 255)
_WORDS = (0, 1, 3, 4, 18, 19, 23, 255, 256, 4095, 4096, 4097, 32767, 32768, 65534, 65535)
_LETTERS = ' \t{}[]();,"\\#:/.-+=!<>&*0123456789abcdefxXéßЖ\u2028\U0001f600\x00\x1b\x7f'
_NUMBERS = (
    "0",
    "-1",
    "1",
    "32",
    "33",
    "128",
    "129",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "9" * 5000,
    "0x",
    "0xffffffffffffffff",
    "1e9",
    "٣",
    "nan",
)

Mutation = Callable[[Random, bytearray], None]


def octets(random: Random, seed: bytes, seeds: Sequence[bytes]) -> bytes:
    """Return `seed` with one to eight changes; pieces of others come from `seeds`."""
    data = bytearray(seed)
    for _ in range(random.choice((1, 1, 1, 2, 3, 5, 8))):
        if random.random() < 0.08 and seeds:
            _splice(random, data, random.choice(seeds))
        else:
            random.choice(_MUTATIONS)(random, data)
    return bytes(data[:LONGEST])


def _place(random: Random, data: bytearray) -> int:
    return random.randrange(len(data)) if data else 0


def _flip(random: Random, data: bytearray) -> None:
    if data:
        data[_place(random, data)] ^= 1 << random.randrange(8)


def _set_octet(random: Random, data: bytearray) -> None:
    if data:
        data[_place(random, data)] = random.choice(_OCTETS)


def _step(random: Random, data: bytearray) -> None:
    if data:
        place = _place(random, data)
        data[place] = (data[place] + random.choice((-8, -1, 1, 8))) & 0xFF


def _set_word(random: Random, data: bytearray) -> None:
    place = _place(random, data)
    data[place : place + 2] = random.choice(_WORDS).to_bytes(2, "big")


def _insert(random: Random, data: bytearray) -> None:
    place = _place(random, data)
    data[place:place] = random.randbytes(random.choice((1, 1, 2, 4, 8, 30)))


def _delete(random: Random, data: bytearray) -> None:
    place = _place(random, data)
    del data[place : place + random.choice((1, 1, 2, 4, 8, 30))]


def _truncate(random: Random, data: bytearray) -> None:
    del data[_place(random, data) :]


def _repeat(random: Random, data: bytearray) -> None:
    place = _place(random, data)
    piece = data[place : place + random.choice((1, 2, 3, 4, 7, 12, 24, 60))]
    data[place:place] = piece * random.choice((1, 1, 2, 3, 10, 100, 1000))


def _fill(random: Random, data: bytearray) -> None:
    place = _place(random, data)
    size = min(random.choice((2, 4, 8, 16)), len(data) - place)
    data[place : place + size] = bytes((random.choice((0, 255, random.randrange(256))),)) * size


def _splice(random: Random, data: bytearray, other: bytes) -> None:
    start = random.randrange(len(other)) if other else 0
    piece = other[start : start + random.choice((1, 4, 16, 64, 4096))]
    place = _place(random, data)
    data[place : place + random.choice((0, len(piece)))] = piece


_MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _flip,
    _set_octet,
    _set_octet,
    _step,
    _set_word,
    _insert,
    _delete,
    _truncate,
    _repeat,
    _fill,
)


def text(random: Random, seed: str, words: Sequence[str]) -> str:
    """Return `seed` with a few of its words or letters changed; other words come from `words`."""
    found = seed.split(" ")
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        place = random.randrange(len(found) + 1)
        match random.randrange(8):
            case 0:
                found[place:place] = [random.choice(words)]
            case 1 | 2:
                found[place : place + 1] = [random.choice(words)]
            case 3:
                del found[place : place + random.choice((1, 2, 5))]
            case 4:
                found[place:place] = found[place : place + 3] * random.choice((1, 2, 40))
            case 5:
                found[place : place + 1] = [random.choice(_NUMBERS)]
            case 6:
                other = random.randrange(len(found) + 1)
                found[place : place + 1], found[other : other + 1] = found[other : other + 1], found[place : place + 1]
            case _:
                found[place : place + 1] = [_letters(random, " ".join(found[place : place + 1]))]
    return " ".join(found)[:LONGEST]


def _letters(random: Random, word: str) -> str:
    place = random.randrange(len(word) + 1)
    return word[:place] + random.choice(_LETTERS) + word[place + random.randrange(2) :]
