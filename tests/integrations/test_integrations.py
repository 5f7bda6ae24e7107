"""Programs that people put between ExaBGP and theirs drive bgpbus as they are; what they announce reaches a router."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from urllib.parse import urlencode

from tests.integrations.bed import BIRD_ADDRESS, LEARNT, Integrations
from tests.routers.process import PATIENCE, wait_for

FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    '--X\r\ncontent-disposition: form-data; name="command"\r\n\r\n'
    "announce route 198.51.100.48/28 next-hop self\r\n--X--\r\n"
)


def test_a_detector_of_attacks_writes_into_a_pipe(bed: Integrations) -> None:
    """FastNetMon's way: it opens the pipe for each line."""
    wait_for(lambda: bed.fifo.is_fifo() or None, PATIENCE, "the helper to make its pipe")
    for command in ("announce", "withdraw", "announce"):
        with bed.fifo.open("w") as pipe:
            pipe.write(f"{command} route 198.51.100.1/32 next-hop 192.0.2.9 community 65001:666\n")
    route = bed.has("198.51.100.1/32")
    assert (route.next_hop, route.communities) == ("192.0.2.9", ("65001:666",))
    with bed.fifo.open("w") as pipe:
        pipe.write("withdraw route 198.51.100.1/32\n")
    bed.has_not("198.51.100.1/32")


def test_a_test_bed_posts_commands_as_a_form(bed: Integrations) -> None:
    """SONiC's way: `command`, or `commands` with semicolons between them."""
    one = urlencode({"command": "announce route 198.51.100.16/28 next-hop 192.0.2.1"})
    assert bed.request(bed.http_port, "POST", "/", one, FORM) == (200, "OK\n")
    bed.has("198.51.100.16/28")
    commands = [f"announce route 10.9.{number}.0/24 next-hop 192.0.2.1" for number in range(200)]
    several = urlencode({"commands": ";".join(["withdraw route 198.51.100.16/28", *commands])})
    assert bed.request(bed.http_port, "POST", "/", several, FORM) == (200, "OK\n")
    bed.has_not("198.51.100.16/28")
    bed.has("10.9.199.0/24")
    wait_for(lambda: sum(prefix.startswith("10.9.") for prefix in bed.routes()) == 200, PATIENCE, "all of them")
    assert bed.request(bed.http_port, "POST", "/", MULTIPART, "multipart/form-data; boundary=X") == (200, "OK\n")
    bed.has("198.51.100.48/28")
    assert bed.request(bed.http_port, "POST", "/", "nothing=", FORM)[0] == 400


def test_an_injector_tells_its_clients_what_became_of_their_routes(bed: Integrations) -> None:
    body = json.dumps({"next-hop": "192.0.2.1", "med": 5, "community": ["65001:1", "65001:2"]})
    assert bed.request(bed.injector_port, "PUT", "/routes/198.51.100.32/28", body)[0] == 201
    route = bed.has("198.51.100.32/28")
    assert (route.med, route.communities) == (5, ("65001:1", "65001:2"))
    assert bed.request(bed.injector_port, "PUT", "/routes/198.51.101.0/24", json.dumps({"med": "much"}))[0] == 422
    assert bed.request(bed.injector_port, "PUT", "/routes/nowhere", body)[0] == 400
    status, said = bed.request(bed.injector_port, "GET", "/routes")
    assert (status, list(json.loads(said))) == (200, ["198.51.100.32/28"])
    assert bed.request(bed.injector_port, "DELETE", "/routes/198.51.100.32/28")[0] == 204
    bed.has_not("198.51.100.32/28")


def test_a_scripted_announcer_sleeps_between_its_lines(bed: Integrations) -> None:
    wait_for(lambda: bed.has("198.51.100.64/28").med == 20 or None, PATIENCE, "the second announcement", 0.1)


def test_a_shell_script_announces_while_a_file_is_missing(bed: Integrations) -> None:
    bed.has("198.51.100.96/28")
    bed.maintenance.touch()
    bed.has_not("198.51.100.96/28")
    os.unlink(bed.maintenance)
    bed.has("198.51.100.96/28")


def test_a_collector_keeps_what_the_router_announces_in_a_database(bed: Integrations) -> None:
    def rows() -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(f"file:{bed.database}?mode=ro", uri=True)) as database:
            return database.execute("SELECT peer, family, prefix, next_hop, attributes FROM routes").fetchall()

    wait_for(lambda: (bed.database.exists() and bed.database.stat().st_size) or None, PATIENCE, "the table")

    wait_for(lambda: rows() or None, PATIENCE, "the route")
    [(peer, family, prefix, next_hop, attributes)] = rows()
    assert (peer, family, prefix, next_hop) == (BIRD_ADDRESS, "ipv4 unicast", LEARNT.prefix, LEARNT.next_hop)
    assert json.loads(attributes)["community"] == [[65002, 7]]
    bed.bird.withdraw(LEARNT.prefix)
    wait_for(lambda: not rows() or None, PATIENCE, "the route to go")
    bed.bird.announce(LEARNT)
    wait_for(lambda: rows() or None, PATIENCE, "the route to come back")
