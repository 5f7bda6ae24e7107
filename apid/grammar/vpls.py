"""VPLS routes (RFC 4761): by keywords, or `vpls ENDPOINT OFFSET SIZE rd R …` by position.

By position the endpoint is an address or a VE identifier. An address is the next hop too, its low 16 bits are
the VE identifier unless `endpoint N` follows; the label base is 16, the first that is not reserved, unless
`base N` follows; a number as endpoint means `next-hop self`.
"""

from __future__ import annotations

from apid.grammar.attributes import ATTRIBUTES
from apid.grammar.draft import ROUTE_KEYWORDS, Draft, Setter, number_setter, read_headed
from apid.grammar.values import MAXIMUM_16, MAXIMUM_LABEL, digits, ipv4_value, number, read
from apid.grammar.words import Words, unknown_word
from bgp.family import L2VPN_VPLS, Family
from bgp.nlri import Vpls

FIRST_LABEL = 16  # RFC 3032: 0 to 15 are reserved

KEYWORDS: dict[str, Setter] = {
    "endpoint": number_setter("endpoint", MAXIMUM_16),
    "offset": number_setter("offset", MAXIMUM_16),
    "size": number_setter("size", MAXIMUM_16),
    "base": number_setter("base", MAXIMUM_LABEL),
}
_KNOWN = {*KEYWORDS, *ROUTE_KEYWORDS, *ATTRIBUTES}


def read_vpls(words: Words, draft: Draft) -> tuple[Family, tuple[bytes, ...]]:
    """Read what follows `vpls` into family and items."""
    positional = digits(words.peek().replace(".", ""))
    head = _read_positions if positional else _read_name
    read_headed(words, draft, lambda: head(words, draft), KEYWORDS)
    if positional:
        draft.numbers.setdefault("endpoint", draft.numbers.pop("position", 0))
        draft.numbers.setdefault("base", FIRST_LABEL)
    base, size = draft.number("base", words), draft.number("size", words)
    if base + size > MAXIMUM_LABEL:
        raise words.wrong(f"base {base} and size {size} reach beyond label {MAXIMUM_LABEL}")
    draft.need_next_hop(words)
    vpls = Vpls(
        family=L2VPN_VPLS,
        path_id=draft.path_id,
        rd=draft.need_rd(words),
        endpoint=draft.number("endpoint", words),
        offset=draft.number("offset", words),
        size=size,
        base=base,
    )
    return L2VPN_VPLS, (vpls.item(),)


def _read_name(words: Words, draft: Draft) -> None:
    """Read the name that may stand before a block."""
    if words and words.peek() != "{" and words.peek() not in _KNOWN:
        draft.name = words.next("name")
        if words.peek() != "{":
            raise words.wrong(unknown_word(draft.name, _KNOWN, "vpls word", f"{', '.join(KEYWORDS)}, rd or next-hop"))


def _read_positions(words: Words, draft: Draft) -> None:
    """Read `ENDPOINT OFFSET SIZE`."""
    text = words.peek()
    if "." in text:
        address = read(words, "endpoint", ipv4_value)
        draft.set_next_hop(address)
        draft.numbers["position"] = int.from_bytes(address[2:], "big")
    else:
        draft.numbers["position"] = read(words, "endpoint", number("endpoint", MAXIMUM_16))
    draft.numbers["offset"] = read(words, "block offset", number("offset", MAXIMUM_16))
    draft.numbers["size"] = read(words, "block size", number("size", MAXIMUM_16))
    if draft.next_hop is None:
        draft.next_hop = b""
