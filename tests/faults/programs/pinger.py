"""usage: pinger.py FILE. Give a command every 5 ms, wait for its answer, append the time it took to FILE (seconds)."""

import os
import sys
import time

with open(sys.argv[1], "w", buffering=1) as output:
    rest = b""
    number = 0
    while True:
        number += 1
        started = time.monotonic()
        os.write(1, b"announce route 30.0.%d.%d/32 next-hop 10.0.0.9\n" % (number >> 8 & 255, number & 255))
        while b"done\n" not in rest:
            data = os.read(0, 65536)
            if not data:
                sys.exit()
            rest += data
        rest = rest.partition(b"done\n")[2]
        output.write(f"{time.monotonic() - started:.6f}\n")
        time.sleep(0.005)
