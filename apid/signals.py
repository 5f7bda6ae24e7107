"""What ExaBGP's signals ask for, as commands. They come to the foreground process, and to the parent of a helper."""

from __future__ import annotations

import signal

REQUESTS: dict[int, str] = {signal.SIGUSR1: "reload", signal.SIGUSR2: "reload helpers", signal.SIGALRM: "restart"}
