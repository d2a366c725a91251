"""PostgreSQL and Redis for development and tests, from wheels.

Only the programs of the wheels are used (`initdb`, `postgres`, `valkey-server`), as direct children of whoever starts
them: so they are reaped when they die, and told to stop by the kernel when their parent is killed.
"""

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import IO

from marketplace.clone_lock import CloneLock, Held, is_alive
from marketplace.quarters import CannotHouse, Quarters, quarters_in

ADDRESSES = "servers.json"
CLONE = Path(__file__).resolve().parent.parent
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class CannotServe(Exception):
    """A server did not start; the message has the end of what it said."""


class Postgres:
    """One PostgreSQL cluster in `quarters`, its data folder named by the major version.

    `durable=False` leaves out fsync: right for tests, whose data nobody needs after a power cut.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": roll back what runs, write a checkpoint, end
    stop_seconds = 30.0

    def __init__(self, quarters: Quarters, lock: CloneLock, *, durable: bool) -> None:
        self.quarters = quarters
        self.lock = lock
        self.durable = durable
        said = subprocess.check_output([quarters.postgres_bin / "postgres", "--version"], text=True)
        self.data = quarters.home / f"pg{re.search(r'[0-9]+', said)[0]}"  # type: ignore[index]

    def prepare(self) -> None:
        """Make the cluster and the database `databourse` where there are none yet. Raises CannotServe."""
        if self.data.exists():
            return
        unfinished = self.data.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        initdb = ["initdb", "-D", str(unfinished), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-instructions"]
        # One sort order on every server: by code point.
        initdb += ["--locale=C.UTF-8"] if sys.platform == "linux" else ["--lc-collate=C", "--lc-ctype=UTF-8"]
        self._run(initdb if self.durable else [*initdb, "--no-sync"])
        self._run(
            ["postgres", "--single", "-D", str(unfinished), *self._settings(), "postgres"],
            "CREATE DATABASE databourse\n",
        )
        unfinished.rename(self.data)

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server and return at once; `is_ready` tells when it answers. Raises CannotServe."""
        self._forget_stale_pid()
        return spawn(
            [str(self.quarters.postgres_bin / "postgres"), "-D", str(self.data), *self._settings()],
            log=log, quarters=self.quarters, lock=self.lock, signal_on_orphaned=self.stop_signal,
        )  # fmt: skip

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready"
        return False

    def _settings(self) -> list[str]:
        chosen = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.quarters.sockets),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "512MB",
            "max_parallel_workers_per_gather": "0",  # containers often have 64 MB of /dev/shm
        }
        if not self.durable:
            chosen |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]

    def _run(self, command: list[str], said_to_it: str = "") -> None:
        account = self.quarters.account
        program = [*(account.wrapper if account else ()), str(self.quarters.postgres_bin / command[0]), *command[1:]]
        outcome = subprocess.run(
            program, input=said_to_it, capture_output=True, text=True, check=False,
            env=_surroundings(self.quarters), cwd=self.quarters.home, **(account.becoming() if account else {}),
        )  # fmt: skip
        if outcome.returncode or "ERROR" in outcome.stderr:
            raise CannotServe(f"{command[0]} failed:\n{outcome.stdout}{outcome.stderr}")

    def _forget_stale_pid(self) -> None:
        """Remove a postmaster.pid whose process is not this cluster's, which PostgreSQL would take for another server.

        One that names no live process is left to PostgreSQL, which then also looks for orphaned back ends.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
            os.kill(pid, 0)
        except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
            return
        except PermissionError:
            pass
        if is_alive(pid) and self._is_ours(pid):
            raise CannotServe(f"PostgreSQL already runs on {self.data} as process {pid}; stop that one first.")
        pid_file.unlink()

    def _is_ours(self, pid: int) -> bool:
        if Path("/proc/self/cwd").exists():
            with contextlib.suppress(OSError):
                return Path(f"/proc/{pid}/cwd").samefile(self.data)
            return False
        said = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
        return str(self.data) in said.stdout


class Redis:
    """One Redis (Valkey) server in `quarters`; `durable` writes every command to its log once a second."""

    name = "redis"
    stop_signal = signal.SIGTERM
    stop_seconds = 20.0

    def __init__(self, quarters: Quarters, lock: CloneLock, *, durable: bool) -> None:
        self.quarters = quarters
        self.lock = lock
        self.durable = durable
        self.data = quarters.home / "redis"
        self.socket = quarters.sockets / "redis.sock"

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self.quarters.account:
            os.chown(self.data, self.quarters.account.uid, self.quarters.account.gid)

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server and return at once; `is_ready` tells when it answers."""
        keeping = ["--appendonly", "yes", "--save", "300 1"] if self.durable else ["--appendonly", "no", "--save", ""]
        return spawn(
            [str(self.quarters.redis_server), "--port", "0", "--unixsocket", str(self.socket),
             "--unixsocketperm", "700", "--dir", str(self.data), "--databases", "64", *keeping],
            log=log, quarters=self.quarters, lock=self.lock, signal_on_orphaned=self.stop_signal,
        )  # fmt: skip

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            line.connect(str(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith(b"+PONG")
        return False


def spawn(
    command: list[str],
    *,
    log: IO[bytes] | None,
    lock: CloneLock,
    signal_on_orphaned: signal.Signals = signal.SIGTERM,
    quarters: Quarters | None = None,
    is_asking: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child tied to our life and our lock; without a log it writes where we write.

    It gets a session of its own, so that Ctrl-C reaches only us, unless it `is_asking` something on our terminal.
    With `quarters` it is a server: it runs as their account, in their home, and sees nothing of our environment.
    Call it from the main thread: the kernel ties the child to the thread that made it (prctl(2), PR_SET_PDEATHSIG).
    """
    account = quarters.account if quarters else None
    return subprocess.Popen(
        [*(account.wrapper if account else ()), *command],
        stdin=None if is_asking else subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=not is_asking, pass_fds=(lock.descriptor,), preexec_fn=_die_with_parent(signal_on_orphaned),
        env=_surroundings(quarters) if quarters else None, cwd=quarters.home if quarters else CLONE,
        **(account.becoming() if account else {}),
    )  # fmt: skip


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None
    parent, set_parent_death_signal, libc = os.getpid(), 1, _libc

    def tie() -> None:
        libc.prctl(set_parent_death_signal, int(number))
        if os.getppid() != parent:  # it was killed before we were tied
            os._exit(1)

    return tie


def _surroundings(quarters: Quarters) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(quarters.home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


# --- which servers a command talks to --------------------------------------------------------------------------------
def state_folder(environment: MutableMapping[str, str]) -> Path:
    return Path(environment.get("STATE_DIR") or CLONE / ".local").absolute()


def choose_servers(environment: MutableMapping[str, str]) -> None:
    """For `up`: where nobody set DATABASE_URL or REDIS_URL, fill in the address the embedded server will have."""
    if "DATABASE_URL" in environment and "REDIS_URL" in environment:
        return
    quarters = quarters_in(state_folder(environment))
    environment.setdefault("DATABASE_URL", quarters.database_url)
    environment.setdefault("REDIS_URL", quarters.redis_url)


def find_running_servers(environment: MutableMapping[str, str]) -> None:
    """For other commands: take what `up` wrote down when it started, where nothing else was set."""
    with contextlib.suppress(FileNotFoundError):
        for name, value in json.loads((state_folder(environment) / ADDRESSES).read_text()).items():
            environment.setdefault(name, value)


# --- servers for one run of the tests --------------------------------------------------------------------------------
@contextlib.contextmanager
def throw_away_servers(state: Path) -> Iterator[Quarters]:
    """Fresh servers in the first slot nobody uses (`test1`, `test2`, ...); stopped and removed at the end.

    Raises CannotServe or CannotHouse.
    """
    lock, slot = _first_free_slot(state)
    quarters = quarters_in(slot)
    try:
        quarters.clear()
        quarters.furnish()
        with contextlib.ExitStack() as stack:
            for kind in (Postgres, Redis):
                server = kind(quarters, lock, durable=False)
                server.prepare()
                with open(slot / f"{server.name}.log", "wb") as log:
                    process = server.start(log)
                stack.callback(stop, process, server.stop_signal, server.stop_seconds)
                wait_until_ready(server, process, slot / f"{server.name}.log")
            yield quarters
    finally:
        quarters.clear()
        lock.release()


def _first_free_slot(state: Path) -> tuple[CloneLock, Path]:
    number = 1
    while True:
        lock = CloneLock(state / f"test{number}.lock")
        try:
            lock.take()
            return lock, state / f"test{number}"
        except Held:
            number += 1


def wait_until_ready(
    server: Postgres | Redis, process: subprocess.Popen[bytes], log: Path, seconds: float = 120
) -> None:
    """Raises CannotServe with the end of the log, when the server ended or does not answer in time."""
    deadline = time.monotonic() + seconds
    while not server.is_ready(process):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotServe(f"{server.name} did not start. The end of {log}:\n{end_of(log)}")
        time.sleep(0.02)


def end_of(log: Path, lines: int = 15) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return ""


def stop(process: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> bool:
    """Ask a child to end, wait, and kill what is left of its session. False if it would not end by itself."""
    if process.poll() is None:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    has_ended = process.poll() is not None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return has_ended


__all__ = ["CannotHouse", "CannotServe", "Postgres", "Redis", "quarters_in", "throw_away_servers"]
