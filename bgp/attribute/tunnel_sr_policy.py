"""A segment routing policy's candidate path as a tunnel: sub-TLVs of tunnel type 15 (RFC 9830 section 2.4)."""

from __future__ import annotations

import struct
from typing import Self

from msgspec import Struct

from bgp.attribute.tunnel import Tunnel
from bgp.attribute.tunnel_behavior import EndpointBehavior, read_behavior
from bgp.attribute.tunnel_segment import SegmentList, read_list
from bgp.wire import Reader

SR_POLICY_TUNNEL = 15


class SrPolicyTlv:
    """Sub-TLV types (IANA, BGP tunnel encapsulation attribute sub-TLVs)."""

    PREFERENCE = 12
    BINDING_SID = 13
    EXPLICIT_NULL_LABEL_POLICY = 14
    PRIORITY = 15
    SRV6_BINDING_SID = 20
    SEGMENT_LIST = 128
    CANDIDATE_PATH_NAME = 129
    POLICY_NAME = 130


_PREFERENCE = struct.Struct("!BxI")  # flags, reserved, preference


class BindingSid(Struct, frozen=True):
    """A binding SID (RFC 9830 section 2.4.2): none, an MPLS label entry (4 octets), or an IPv6 SID (16).

    Flags: 0x80 to use this SID only (S), 0x40 to drop traffic while the path is down (I).
    """

    sid: bytes
    flags: int = 0

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if len(self.sid) not in (0, 4, 16):
            raise ValueError(f"a binding SID has 0, 4 or 16 octets, not {len(self.sid)}")
        check_octet("binding SID flags", self.flags)

    @classmethod
    def of_label(cls, label: int, flags: int = 0) -> Self:
        """Build from an MPLS label of 20 bits; raises ValueError."""
        if not 0 <= label < 1 << 20:
            raise ValueError(f"label {label} does not fit 20 bits")
        return cls((label << 12).to_bytes(4, "big"), flags)

    @property
    def label(self) -> int | None:
        """The MPLS label, or None where the SID is none or IPv6."""
        return int.from_bytes(self.sid, "big") >> 12 if len(self.sid) == 4 else None

    def encode(self) -> bytes:
        """Return flags, reserved, SID."""
        return bytes((self.flags, 0)) + self.sid


class Srv6BindingSid(Struct, frozen=True):
    """An SRv6 binding SID (RFC 9830 section 2.4.3). Flags as above; B (0x20) is set where `endpoint` is given."""

    sid: bytes
    flags: int = 0
    endpoint: EndpointBehavior | None = None

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if len(self.sid) != 16:
            raise ValueError(f"an SRv6 binding SID has 16 octets, not {len(self.sid)}")
        check_octet("SRv6 binding SID flags", self.flags)

    def encode(self) -> bytes:
        """Return flags, reserved, SID, endpoint behavior."""
        flags = self.flags if self.endpoint is None else self.flags | 0x20
        behavior = b"" if self.endpoint is None else self.endpoint.encode()
        return bytes((flags, 0)) + self.sid + behavior


class SrPolicyPath(Struct, frozen=True):
    """What an SR policy's NLRI leads to. None and empty mean: not on the wire.

    `explicit_null` is 1 to push IPv4, 2 IPv6, 3 both, 4 none (ENLP, RFC 9830 section 2.4.5); `others` are
    sub-TLVs that are not read here.
    """

    preference: int | None = None
    binding_sid: BindingSid | None = None
    srv6_binding_sid: Srv6BindingSid | None = None
    explicit_null: int | None = None
    priority: int | None = None
    segment_lists: tuple[SegmentList, ...] = ()
    policy_name: str | None = None
    candidate_path_name: str | None = None
    others: tuple[tuple[int, bytes], ...] = ()

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if self.preference is not None and not 0 <= self.preference < 1 << 32:
            raise ValueError(f"preference {self.preference} does not fit 32 bits")
        if self.explicit_null is not None:
            check_octet("explicit null label policy", self.explicit_null)
        if self.priority is not None:
            check_octet("priority", self.priority)

    def tunnel(self) -> Tunnel:
        """Build the tunnel, sub-TLVs in the order of their types; raises ValueError where one is too long."""
        tlvs: list[tuple[int, bytes]] = list(self.others)
        if self.preference is not None:
            tlvs.append((SrPolicyTlv.PREFERENCE, _PREFERENCE.pack(0, self.preference)))
        if self.binding_sid is not None:
            tlvs.append((SrPolicyTlv.BINDING_SID, self.binding_sid.encode()))
        if self.explicit_null is not None:
            tlvs.append((SrPolicyTlv.EXPLICIT_NULL_LABEL_POLICY, bytes((0, 0, self.explicit_null))))
        if self.priority is not None:
            tlvs.append((SrPolicyTlv.PRIORITY, bytes((self.priority, 0))))
        if self.srv6_binding_sid is not None:
            tlvs.append((SrPolicyTlv.SRV6_BINDING_SID, self.srv6_binding_sid.encode()))
        tlvs += [(SrPolicyTlv.SEGMENT_LIST, segments.encode()) for segments in self.segment_lists]
        if self.candidate_path_name is not None:
            tlvs.append((SrPolicyTlv.CANDIDATE_PATH_NAME, b"\0" + self.candidate_path_name.encode()))
        if self.policy_name is not None:
            tlvs.append((SrPolicyTlv.POLICY_NAME, b"\0" + self.policy_name.encode()))
        return Tunnel(SR_POLICY_TUNNEL, tuple(sorted(tlvs, key=lambda tlv: tlv[0])))

    @classmethod
    def of_tunnel(cls, tunnel: Tunnel) -> Self:
        """Read a tunnel of type 15; of a sub-TLV that may stand once, the first counts. Raises ValueError."""
        if tunnel.kind != SR_POLICY_TUNNEL:
            raise ValueError(f"an SR policy is tunnel type {SR_POLICY_TUNNEL}, not {tunnel.kind}")
        once: dict[int, bytes] = {}
        lists: list[SegmentList] = []
        others: list[tuple[int, bytes]] = []
        for kind, value in tunnel.tlvs:
            if kind == SrPolicyTlv.SEGMENT_LIST:
                lists.append(read_list(value))
            elif kind in READ_ONCE:
                once.setdefault(kind, value)
            else:
                others.append((kind, value))
        return cls(
            preference=read_preference(once.get(SrPolicyTlv.PREFERENCE)),
            binding_sid=read_binding_sid(once.get(SrPolicyTlv.BINDING_SID)),
            srv6_binding_sid=read_srv6_binding_sid(once.get(SrPolicyTlv.SRV6_BINDING_SID)),
            explicit_null=read_octet(once.get(SrPolicyTlv.EXPLICIT_NULL_LABEL_POLICY), 2, 3),
            priority=read_octet(once.get(SrPolicyTlv.PRIORITY), 0, 2),
            segment_lists=tuple(lists),
            policy_name=read_name(once.get(SrPolicyTlv.POLICY_NAME)),
            candidate_path_name=read_name(once.get(SrPolicyTlv.CANDIDATE_PATH_NAME)),
            others=tuple(others),
        )


READ_ONCE = (
    SrPolicyTlv.PREFERENCE,
    SrPolicyTlv.BINDING_SID,
    SrPolicyTlv.EXPLICIT_NULL_LABEL_POLICY,
    SrPolicyTlv.PRIORITY,
    SrPolicyTlv.SRV6_BINDING_SID,
    SrPolicyTlv.CANDIDATE_PATH_NAME,
    SrPolicyTlv.POLICY_NAME,
)


def check_octet(name: str, value: int) -> None:
    """Raise ValueError unless the value fits an octet."""
    if not 0 <= value <= 255:
        raise ValueError(f"{name} {value} is not within 0..255")


def read_octet(value: bytes | None, place: int, size: int) -> int | None:
    """Pick the octet that counts from a sub-TLV of `size` octets; raises ValueError."""
    if value is None:
        return None
    if len(value) != size:
        raise ValueError(f"SR policy sub-TLV length {len(value)} is not {size}")
    return value[place]


def read_preference(value: bytes | None) -> int | None:
    """Read a preference (RFC 9830 section 2.4.1); raises ValueError."""
    if value is None:
        return None
    if len(value) != _PREFERENCE.size:
        raise ValueError(f"SR policy preference length {len(value)} is not {_PREFERENCE.size}")
    _, preference = _PREFERENCE.unpack(value)
    return int(preference)


def read_binding_sid(value: bytes | None) -> BindingSid | None:
    """Read a binding SID; raises ValueError."""
    if value is None:
        return None
    reader = Reader(value)
    flags = reader.u8()
    reader.take(1)
    return BindingSid(reader.rest(), flags)


def read_srv6_binding_sid(value: bytes | None) -> Srv6BindingSid | None:
    """Read an SRv6 binding SID; raises ValueError."""
    if value is None:
        return None
    reader = Reader(value)
    flags = reader.u8()
    reader.take(1)
    return Srv6BindingSid(reader.take(16), flags, read_behavior(reader))


def read_name(value: bytes | None) -> str | None:
    """Read a name behind a reserved octet; octets that are not UTF-8 are replaced. Raises ValueError."""
    if value is None:
        return None
    reader = Reader(value)
    reader.take(1)
    return reader.rest().decode("utf-8", "replace")
