"""Examples of routes, by family (in routes.txt), and of extended communities; tests read every one."""

from __future__ import annotations

from pathlib import Path


def _routes(text: str) -> dict[str, tuple[str, ...]]:
    """Read commands below `[family]` headings; a # begins a comment."""
    found: dict[str, tuple[str, ...]] = {}
    family = ""
    for line in text.splitlines():
        if line.startswith("["):
            family = line.strip("[]")
        elif line and not line.startswith("#"):
            found[family] = (*found.get(family, ()), line)
    return found


ROUTES = _routes(Path(__file__).with_name("routes.txt").read_text(encoding="utf-8"))

EXTENDED_COMMUNITIES: dict[str, str] = {
    "target": "target:65001:100",
    "origin": "origin:192.0.2.1:5",
    "target4": "target4:4200000001:5",
    "origin4": "origin4:65001:5",
    "redirect": "redirect:65001:666",
    "redirect-to-nexthop": "redirect-to-nexthop",
    "copy-to-nexthop": "copy-to-nexthop",
    "redirect-to-nexthop-ietf": "redirect-to-nexthop-ietf:192.0.2.9",
    "rate-limit": "rate-limit:9600",
    "mark": "mark:10",
    "action": "action:sample-terminal",
    "interface-set": "interface-set:transitive:input:65001:5",
    "l2info": "l2info:19:0:1500:111",
    "bandwidth": "bandwidth:65001:125000000",
    "mup": "mup:10:10",
    "color": "color:100",
    "encapsulation": "encapsulation:vxlan",
    "mac-mobility": "mac-mobility:sticky:1",
    "esi-label": "esi-label:single-active:100",
    "es-import": "es-import:00:11:22:33:44:55",
    "router-mac": "router-mac:00:11:22:33:44:55",
    "default-gateway": "default-gateway",
    "ospf-router-id": "ospf-router-id:192.0.2.1",
}
