"""Parsers of single values. Each is data too: it knows how its values are written, for errors and documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

from msgspec import Struct

from apid.grammar.words import GrammarError, Token, Words

_TRUE = frozenset(("true", "enable", "enabled"))
_FALSE = frozenset(("false", "disable", "disabled"))
_OFF = frozenset(("disable", "disabled", "false"))
_DECIMAL = re.compile(r"[0-9]+")
_DOTTED = re.compile(r"([0-9]+)\.([0-9]+)")
_HOST_NAME = re.compile(r"[A-Za-z0-9.-]+")
_MARKS = frozenset("[](),{};")


class Value(Struct, frozen=True):
    """How a value is written, and the function that reads it and raises `GrammarError` at what is wrong."""

    syntax: str
    read: Callable[[Words], Any]


def read_address(token: Token) -> bytes:
    """Pack an IP address."""
    try:
        return inet_pton(AF_INET6 if ":" in token.text else AF_INET, token.text)
    except (OSError, ValueError):
        raise GrammarError(f"'{token.text}' is not an IP address", token) from None


def read_number(token: Token, low: int, high: int, zero: bool = False) -> int:
    """Read a decimal number within a range, both ends included; `zero` admits 0 as well."""
    never = "neither 0 nor" if zero else "not"
    if not _DECIMAL.fullmatch(token.text):
        raise GrammarError(f"'{token.text}' is {never} a number from {low} to {high}", token)
    number = int(token.text[:12])
    if len(token.text) > 12 or not (low <= number <= high or (zero and not number)):
        raise GrammarError(f"{token.text} is {never} in the range {low} to {high}", token)
    return number


def integer(low: int, high: int, *, also: Mapping[str, Any] | None = None, zero: bool = False) -> Value:
    """Accept a number of a range; `also` maps further words to their values, `zero` admits 0 as well."""
    words_also = also or {}
    spelt = ("0 | " if zero else "") + f"{low}..{high}" + "".join(f" | {word}" for word in words_also)

    def read(words: Words) -> Any:
        token = words.token(f"a number ({spelt})")
        if token.text in words_also:
            return words_also[token.text]
        if not _DECIMAL.fullmatch(token.text) and words_also:
            raise GrammarError(f"'{token.text}' is not one of: {spelt}", token)
        return read_number(token, low, high, zero)

    return Value(spelt, read)


def ttl() -> Value:
    """Accept a TTL; 0 is none, as a packet cannot leave with it."""

    def read(words: Words) -> int | None:
        token = words.token("a TTL (0..255 | disable)")
        if token.text in _OFF:
            return None
        return read_number(token, 0, 255) or None

    return Value("0..255 | disable", read)


def rate() -> Value:
    """Accept a number of messages in a second."""

    def read(words: Words) -> int | None:
        token = words.token("a number of messages in a second, or 'disable',")
        if token.text in _OFF:
            return None
        return read_number(token, 1, 2**31 - 1)

    return Value("1..2147483647 | disable", read)


def _boolean(words: Words) -> bool:
    token = words.token("a boolean")
    text = token.text.lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise GrammarError(f"'{token.text}' is not a boolean: true, enable, false or disable expected", token)


BOOLEAN = Value("true | false", _boolean)


def choice(*options: str) -> Value:
    """Accept one of several words."""

    def read(words: Words) -> str:
        token = words.token(f"one of {', '.join(options)}")
        if token.text not in options:
            raise GrammarError(f"unknown word '{token.text}': expected one of {', '.join(options)}", token)
        return token.text

    return Value(" | ".join(options), read)


def _tristate(words: Words) -> bool | None:
    if words.peek().lower() == "auto":
        words.next("'auto'")
        return None
    return _boolean(words)


BOOLEAN_OR_AUTO = Value("true | false | auto", _tristate)


def _asn(words: Words) -> int | None:
    token = words.token("an AS number or 'auto'")
    if token.text == "auto":
        return None
    dotted = _DOTTED.fullmatch(token.text)
    if dotted:
        high, low = int(dotted[1][:6]), int(dotted[2][:6])
        if high > 65535 or low > 65535:
            raise GrammarError(f"AS number {token.text}: each half is 0 to 65535", token)
        number = high << 16 | low
    elif _DECIMAL.fullmatch(token.text):
        number = int(token.text[:11])
    else:
        raise GrammarError(f"'{token.text}' is not an AS number: a number or 'high.low' expected", token)
    if not 0 < number < 2**32:
        raise GrammarError(f"AS number {token.text} is not in the range 1 to 4294967295", token)
    return number


ASN = Value("1..4294967295 | high.low | auto", _asn)


def _address(words: Words) -> bytes:
    return read_address(words.token("an IP address"))


ADDRESS = Value("IP address", _address)


def _address_or_auto(words: Words) -> bytes | None:
    token = words.token("an IP address or 'auto'")
    return None if token.text == "auto" else read_address(token)


ADDRESS_OR_AUTO = Value("IP address | auto", _address_or_auto)


def read_router_id(token: Token) -> bytes:
    """Pack a BGP identifier, written as an IPv4 address; zero is not one (RFC 6286)."""
    try:
        packed = inet_pton(AF_INET, token.text)
    except (OSError, ValueError):
        raise GrammarError(f"'{token.text}' is not an IPv4 address, as a router-id is", token) from None
    if packed == bytes(4):
        raise GrammarError("router-id 0.0.0.0 is refused by every peer (RFC 6286)", token)
    return packed


def _router_id(words: Words) -> bytes:
    return read_router_id(words.token("an IPv4 address"))


ROUTER_ID = Value("IPv4 address", _router_id)


def _text(words: Words) -> str:
    """Take all words that are left, with a space where there was one: only quotes keep several."""
    text = ""
    end = (0, 0)
    while words:
        token = words.token("text")
        text += token.text if not text or (token.line, token.column) == end else f" {token.text}"
        end = (token.line, token.column + len(token.text) + 2 * token.quoted)
    return text


TEXT = Value('"text"', _text)
COMMAND_LINE = Value("program argument…", _text)


def word(what: str, maximum: int = 0) -> Value:
    """Accept one word or quoted string, of at most `maximum` octets where that is given."""

    def read(words: Words) -> str:
        token = words.token(what)
        if not token.quoted and token.text in _MARKS:
            raise GrammarError(f"{what} expected, not '{token.text}'", token)
        octets = len(token.text.encode())
        if maximum and octets > maximum:
            raise GrammarError(f"{what} has at most {maximum} octets, not {octets}", token)
        return token.text

    return Value(what, read)


def _host_name(words: Words) -> str:
    token = words.token("a name")
    text = token.text
    if not _HOST_NAME.fullmatch(text):
        raise GrammarError(f"'{text}' is not a host name: letters, digits, '.' and '-' expected", token)
    if not (text[0].isalnum() and text[-1].isalnum()):
        raise GrammarError(f"'{text}' is not a host name: it starts and ends with a letter or digit", token)
    if ".." in text:
        raise GrammarError(f"'{text}' is not a host name: it has an empty label", token)
    if len(text) > 255:
        raise GrammarError(f"a host name has at most 255 characters, not {len(text)}", token)
    return text


HOST_NAME = Value("name", _host_name)


def read_list(words: Words, what: str) -> list[Token]:
    """Read `[ a b ]`, `[ a, b ]` or a single word, and return the tokens between the brackets."""
    first = words.token(f"'[' or {what}")
    if first.quoted or first.text != "[":
        if not first.quoted and first.text in _MARKS:
            raise GrammarError(f"'[' or {what} expected, not '{first.text}'", first)
        return [first]
    found: list[Token] = []
    while True:
        token = words.token("']'")
        if token.quoted or token.text not in _MARKS:
            found.append(token)
        elif token.text == "]":
            return found
        elif token.text != ",":
            raise GrammarError(f"']' or {what} expected, not '{token.text}'", token)


def joined(tokens: list[Token]) -> list[Token]:
    """Join words and parentheses that touch, as programs' arguments and regular expressions hold them."""
    result: list[Token] = []
    for token in tokens:
        last = result[-1] if result else None
        if (
            last is not None
            and last.line == token.line
            and last.column + len(last.text) == token.column
            and not (last.quoted or token.quoted)
            and last.text not in _SEPARATORS
            and token.text not in _SEPARATORS
        ):
            result[-1] = Token(last.text + token.text, last.line, last.column)
        else:
            result.append(token)
    return result


_SEPARATORS = frozenset("[],{};")
