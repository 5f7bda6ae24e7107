"""Drop to another user and group, and leave a pid file."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apid.healthcheck.options import OptionError


@contextmanager
def pid_file(path: str) -> Iterator[None]:
    """Keep our process id in a file ("" for none) while the block runs; OptionError where it cannot be written."""
    if not path:
        yield
        return
    # An absolute path, because the end may see another working directory than the start.
    file = Path(path).absolute()
    try:
        file.write_text(f"{os.getpid()}\n")
    except OSError as error:
        raise OptionError(f"--pid {file}: {error.strerror}") from error
    try:
        yield
    finally:
        try:
            file.unlink(missing_ok=True)
        except OSError:
            # A user that we dropped to may not write to that directory; an emptied file at least names nobody.
            _empty(file)


def _empty(file: Path) -> None:
    try:
        file.write_text("")
    except OSError:
        return


def drop_privileges(user: str, group: str) -> None:
    """Become a user and a group by name or number, "" for no change; OptionError where that is not possible.

    The user's other groups come with it, and its own group where no group is named. Who is both already, as a helper of
    a daemon that has dropped its privileges may be, needs none for it.
    """
    account = _account(user) if user else None
    group_id = _group(group) if group else account.pw_gid if account else os.getgid()
    user_id = account.pw_uid if account else os.getuid()
    if (user_id, group_id) == (os.getuid(), os.getgid()) and user_id != 0:
        return
    try:
        if account or group:
            if account:
                os.initgroups(account.pw_name, group_id)
            else:
                os.setgroups([group_id])
            os.setgid(group_id)
        if account:
            os.setuid(account.pw_uid)
    except PermissionError as error:
        wanted = f"--user {user}" if user else f"--group {group}"
        raise OptionError(f"{wanted}: only root can become another user: {error.strerror}") from error


def _account(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except (KeyError, ValueError, OverflowError):  # the latter two: of numbers that no id can be
        raise OptionError(f"--user '{name}': there is no such user") from None


def _group(name: str) -> int:
    try:
        return grp.getgrgid(int(name)).gr_gid if name.isdecimal() else grp.getgrnam(name).gr_gid
    except (KeyError, ValueError, OverflowError):  # the latter two: of numbers that no id can be
        raise OptionError(f"--group '{name}': there is no such group") from None
