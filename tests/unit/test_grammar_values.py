"""Values of statements: numbers, addresses, prefixes, AS numbers, route distinguishers, communities."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apid.grammar import values
from apid.grammar.attributes import community_value, large_community_value
from apid.grammar.extended_community import FORMS, extended_community_value


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("target:1:2", "0002000100000002"),
        ("1:2", "0002000100000002"),
        ("72:0.0.0.1", "0002004800000001"),
        ("1.2.3.4:5", "0102010203040005"),
        ("origin:2345:6.7.8.9", "0003092906070809"),
        ("origin:2.3.4.5:6789", "0103020304051a85"),
        ("target:65536:2", "0202000100000002"),
        ("target:1L:2", "0202000000010002"),
        ("target:1.5:2", "0202000100050002"),
        ("target4:1:2", "0202000000010002"),
        ("target4:65536:1", "0202000100000001"),
        ("origin4:70000:1", "0203000111700001"),
        ("0x0002fde800000001", "0002fde800000001"),
        ("redirect:65500:12345", "8008ffdc00003039"),
        ("redirect:70000:1", "8208000111700001"),
        ("redirect:1.2.3.4:5", "8108010203040005"),
        ("redirect-to-nexthop", "0800000000000000"),
        ("copy-to-nexthop", "0800000000000001"),
        ("redirect-to-nexthop-ietf:10.0.0.9", "010c0a0000090000"),
        ("redirect-to-nexthop-ietf:2001:db8::1", "000c20010db80000000000000000000000010000"),
        ("redirect:[2001:db8::1]:5", "000d20010db80000000000000000000000010005"),
        ("l2info:19:0:1500:111", "800a130005dc006f"),
        ("bandwidth:65000:1000000", "4004fde849742400"),
        ("mup:10:20", "0c00000a00000014"),
        ("rate-limit:9600", "8006000046160000"),
        ("rate-limit:1000:packets", "800c0000447a0000"),
        ("rate-limit:99999999999999999999", "800600005368d4a5"),
        ("mark:10", "800900000000000a"),
        ("action:sample-terminal", "8007000000000003"),
        ("interface-set:transitive:input:1234:6", "0702000004d24006"),
        ("interface-set:non-transitive:input-output:70000:8", "470200011170c008"),
        ("color:100", "030b000000000064"),
        ("encapsulation:vxlan", "030c000000000008"),
        ("encapsulation:15", "030c00000000000f"),
        ("mac-mobility:5", "0600000000000005"),
        ("mac-mobility:sticky:5", "0600010000000005"),
        ("esi-label:single-active:16", "0601010000000100"),
        ("es-import:00:11:22:33:44:55", "0602001122334455"),
        ("es-import:00:11:22:33:44:55:66:77:88:99", "0602112233445566"),
        ("router-mac:00:11:22:33:44:55", "0603001122334455"),
        ("default-gateway", "030d000000000000"),
        ("ospf-router-id:1.2.3.4", "0107010203040000"),
    ],
)
def test_an_extended_community_has_its_octets(text: str, octets: str) -> None:
    assert extended_community_value(text).hex() == octets


def test_every_form_of_extended_community_tells_its_syntax() -> None:
    assert all(form.syntax or form.read("") for form in FORMS.values())


@pytest.mark.parametrize(
    ("convert", "text", "value"),
    [
        (values.asn_value, "65001", 65001),
        (values.asn_value, "4294967295", 4294967295),
        (values.asn_value, "1.2", 65538),
        (values.rd_value, "65000:1", bytes.fromhex("0000fde800000001")),
        (values.rd_value, "65000:4294967295", bytes.fromhex("0000fde8ffffffff")),
        (values.rd_value, "1.2.3.4:5", bytes.fromhex("0001010203040005")),
        (values.rd_value, "70000:5", bytes.fromhex("0002000111700005")),
        (values.rd_value, "65000L:5", bytes.fromhex("00020000fde80005")),
        (values.path_information_value, "1.2.3.4", 0x01020304),
        (values.path_information_value, "7", 7),
        (values.next_hop_value, "self", b""),
        (values.next_hop_value, "::1", bytes(15) + b"\x01"),
        (values.mac_value, "aa:bb:cc:dd:ee:ff", bytes.fromhex("aabbccddeeff")),
        (values.mac_value, "aa-bb-cc-dd-ee-ff", bytes.fromhex("aabbccddeeff")),
        (values.esi_value, "0", bytes(10)),
        (values.esi_value, "0x00112233445566778899", bytes.fromhex("00112233445566778899")),
        (values.esi_value, "00:11:22:33:44:55:66:77:88:99", bytes.fromhex("00112233445566778899")),
        (values.prefix_value, "10.0.0.0/08", (bytes([10, 0, 0, 0]), 8)),
        (values.prefix_value, "10.0.0.1", (bytes([10, 0, 0, 1]), 32)),
        (values.prefix_value, "::/0", (bytes(16), 0)),
        (community_value, "65001:1", 0xFDE90001),
        (community_value, "NO_EXPORT", 0xFFFFFF01),
        (community_value, "blackhole", 0xFFFF029A),
        (community_value, "0x00010002", 0x00010002),
        (community_value, "65537", 0x00010001),
        (large_community_value, "1:2:3", (1, 2, 3)),
        (large_community_value, "18446744078004518915", (1, 1, 3)),
    ],
)
def test_a_text_becomes_its_value(convert: Callable[[str], object], text: str, value: object) -> None:
    assert convert(text) == value


@pytest.mark.parametrize(
    ("convert", "text"),
    [
        (values.asn_value, "4294967296"),
        (values.asn_value, "1.65536"),
        (values.asn_value, "AS1"),
        (values.asn_value, "-1"),
        (values.asn_value, "٣"),
        (values.asn_value, "1_0"),
        (values.real_asn_value, "0"),
        (values.rd_value, "65000"),
        (values.rd_value, "65536:65536"),
        (values.rd_value, "1.2.3.4:65536"),
        (values.rd_value, "1.2.3.400:5"),
        (values.rd_value, "x:5"),
        (values.label_value, "1048576"),
        (values.label_value, "0x10"),
        (values.path_information_value, "4294967296"),
        (values.address_value, "10.1"),
        (values.address_value, "010.0.0.1"),
        (values.address_value, "fe80::1%eth0"),
        (values.address_value, "1.2.3.4\x00"),
        (values.address_value, "²"),
        (values.next_hop_value, "me"),
        (values.prefix_value, "10.0.0.1/24"),
        (values.prefix_value, "10.0.0.0/33"),
        (values.prefix_value, "10.0.0.0/"),
        (values.prefix_value, "10.0.0.0/255.0.0.0"),
        (values.prefix_value, "2001:db8::/129"),
        (values.mac_value, "aa:bb:cc:dd:ee"),
        (values.mac_value, "aa:bb:cc:dd:ee:gg"),
        (values.esi_value, "0x00"),
        (community_value, "70000:1"),
        (community_value, "1:65536"),
        (community_value, "no-exprot"),
        (community_value, "4294967296"),
        (large_community_value, "1:2"),
        (large_community_value, "1:2:4294967296"),
        (large_community_value, "79228162514264337593543950336"),
        (extended_community_value, "foo:1:2"),
        (extended_community_value, "0x0002fde8"),
        (extended_community_value, "target:1:4294967296"),
        (extended_community_value, "target:65536:65536"),
        (extended_community_value, "target:1.2.3.4:65536"),
        (extended_community_value, "target:1"),
        (extended_community_value, "bandwidth:1.2.3.4:10"),
        (extended_community_value, "l2info:1:2:3"),
        (extended_community_value, "mup:65536:1"),
        (extended_community_value, "mark:64"),
        (extended_community_value, "action:dance"),
        (extended_community_value, "interface-set:transitive:sideways:1:1"),
        (extended_community_value, "interface-set:transitive:input:1:16384"),
    ],
)
def test_a_wrong_value_is_named_in_the_error(convert: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError) as error:
        convert(text)
    assert not isinstance(error.value, UnicodeError)
    assert any(part in str(error.value) for part in text.split(":"))


@given(st.text(max_size=24))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    for convert in (
        values.asn_value,
        values.rd_value,
        values.address_value,
        values.prefix_value,
        values.mac_value,
        values.esi_value,
        values.path_information_value,
        community_value,
        large_community_value,
        extended_community_value,
        values.any_number("number"),
    ):
        with suppress(ValueError):
            convert(text)
