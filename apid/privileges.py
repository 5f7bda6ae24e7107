"""Become an unprivileged user for good, keeping only what listening on port 179 and binding to a device need.

`bgpbus run` does it before it starts anything, so that supervisord, every daemon and every helper run as that user;
helpers are stripped of the two capabilities too.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import struct
import subprocess
import sys

PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAP_AMBIENT = 4, 8, 47  # <linux/prctl.h>
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
CAPABILITY_VERSION = 0x20080522  # <linux/capability.h>
CAP_NET_BIND_SERVICE, CAP_NET_RAW = 10, 13
KEPT = (CAP_NET_BIND_SERVICE, CAP_NET_RAW)

_libc = ctypes.CDLL(None, use_errno=True)


class PrivilegeError(Exception):
    """Why we cannot become that user."""


def find_user(name: str) -> pwd.struct_passwd | None:
    """Return whom to become; None where we are not root, or shall stay root. PrivilegeError: no such user."""
    if os.getuid() != 0 or name in ("", "root"):
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError as error:
        raise PrivilegeError(f"exabgp.daemon.user is '{name}', and there is no such user") from error


def may_execute(user: pwd.struct_passwd, path: str) -> bool:
    """Whether a user could execute a file."""
    command = ["/usr/bin/test", "-x", path]
    result = subprocess.run(command, user=user.pw_uid, group=user.pw_gid, extra_groups=[], check=False)
    return result.returncode == 0


def can_run_us(user: pwd.struct_passwd) -> bool:
    """Whether a user could run this very program: the interpreter and the packages."""
    command = [sys.executable, "-c", "import apid, bus, zmq"]
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        result = subprocess.run(
            command,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            cwd=here,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return result.returncode == 0


def become(user: pwd.struct_passwd) -> None:
    """Become the user, with the kept capabilities as ambient ones, so that child processes inherit them."""
    _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    mask = sum(1 << capability for capability in KEPT)
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    data = struct.pack("=6I", mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable; low and high words
    if _libc.capset(header, data):
        raise PrivilegeError(f"capabilities cannot be kept: {os.strerror(ctypes.get_errno())}")
    for capability in KEPT:
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
    _prctl(PR_SET_DUMPABLE, 1)  # changing user clears it, and with it our own /proc


def strip() -> None:
    """Give up the kept capabilities over the next exec (for a helper, between fork and exec)."""
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def _prctl(option: int, first: int, second: int = 0) -> None:
    if _libc.prctl(option, first, second, 0, 0):
        raise PrivilegeError(f"prctl {option}: {os.strerror(ctypes.get_errno())}")
