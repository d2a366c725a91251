"""One parent for a set of children: starts them in order, starts again what dies, stops them in the reverse order."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from marketplace import guardian
from marketplace.clone_lock import CloneLock
from marketplace.embedded import CannotServe, end_of, spawn, stop

LOG_MAX_BYTES = 20 * 1024 * 1024
TICK_SECONDS = 0.1
SETTLED_SECONDS = 60.0
BACK_OFF_MAX_SECONDS = 30.0


class Stopping(Exception):
    """Somebody asked us to stop while we were waiting for something."""


@dataclass
class Child:
    """What to start and how to stop it. `is_ready` may ask the process, its files or the network."""

    name: str
    start: Callable[[IO[bytes]], subprocess.Popen[bytes]]
    is_ready: Callable[[subprocess.Popen[bytes]], bool] = lambda process: True
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    orphan_seconds: float = 3.0  # as stop_seconds, should we have been killed: then nobody waits for a good end
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    start_again_at: float = 0.0


class Supervisor:
    """Use it as a context manager: leaving it, by whatever way, stops every child.

    SIGINT, SIGTERM and SIGHUP ask it to stop; SIGHUP stays ignored under nohup.
    """

    def __init__(self, logs: Path, lock: CloneLock, say: Callable[[str], None]) -> None:
        self.logs = logs
        self.lock = lock
        self.say = say
        self.children: list[Child] = []
        self.is_stopping = False
        self._guard: subprocess.Popen[bytes] | None = None
        self._handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._ask_to_stop)
        self._watch_the_guard()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.is_stopping = True
        for child in reversed(self.children):
            if child.process:
                if not stop(child.process, child.stop_signal, child.stop_seconds):
                    self.say(f"{child.name} did not stop within {child.stop_seconds:.0f} s and was killed")
                self._tell(f"end {child.process.pid}")
        if self._guard and self._guard.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
            self._guard.wait()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def add(self, child: Child) -> None:
        """Start a child for good; from now on it is started again whenever it ends."""
        self.children.append(child)
        self._start(child)

    def wait_until_ready(self, child: Child, seconds: float = 180) -> None:
        """Raises CannotServe, with the end of its log, if the child ends first or takes too long; Stopping."""
        deadline = time.monotonic() + seconds
        while child.process is None or not child.is_ready(child.process):
            if child.deaths or time.monotonic() > deadline:
                log = self._log_of(child.name)
                raise CannotServe(f"{child.name} did not start. The end of {log}:\n{end_of(log)}")
            self.tick()

    def run(
        self,
        process: subprocess.Popen[bytes],
        stop_signal: signal.Signals = signal.SIGTERM,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> int:
        """Wait for something that ends by itself, and give its exit code. Raises Stopping, after ending it.

        `meanwhile` is what is done beside it first; what that raises ends it too.
        """
        self._tell(f"start {process.pid} {int(stop_signal)} 5")
        try:
            meanwhile()
            while process.poll() is None:
                self.tick()
        finally:
            stop(process, stop_signal, 10)
            self._tell(f"end {process.pid}")
        return process.returncode

    def watch(self) -> None:
        """Keep every child alive until somebody asks to stop. Raises Stopping."""
        while True:
            self.tick()

    def tick(self) -> None:
        """Look after everybody once, and rest a moment. Raises Stopping."""
        if self.is_stopping:
            raise Stopping
        self._watch_the_guard()
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.start_again_at:
                    self._start(child)
            elif child.process.poll() is not None:
                self._mourn(child)
        time.sleep(TICK_SECONDS)

    def _start(self, child: Child) -> None:
        log = self._log_of(child.name)
        with contextlib.suppress(FileNotFoundError):
            if log.stat().st_size > LOG_MAX_BYTES:
                log.replace(log.with_suffix(".log.1"))
        child.started_at = time.monotonic()
        try:
            with log.open("ab") as file:
                child.process = child.start(file)
        except (CannotServe, OSError) as reason:
            self.say(f"{child.name}: {reason}")
            self._start_again_later(child)
        else:
            self._tell(f"start {child.process.pid} {int(child.stop_signal)} {child.orphan_seconds}")

    def _mourn(self, child: Child) -> None:
        process, child.process = child.process, None
        assert process is not None  # noqa: S101 - only the living die
        stop(process, signal.SIGKILL, 0)  # what it left in its session would stand in the next one's way
        self._tell(f"end {process.pid}")
        if time.monotonic() - child.started_at > SETTLED_SECONDS:
            child.deaths = 0
        self._start_again_later(child)
        code = process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        wait_seconds = child.start_again_at - time.monotonic()
        self.say(f"{child.name} {how}; it starts again in {wait_seconds:.1f} s (see {self._log_of(child.name)})")

    def _start_again_later(self, child: Child) -> None:
        child.start_again_at = time.monotonic() + min(BACK_OFF_MAX_SECONDS, 0.5 * 2 ** min(child.deaths, 10))
        child.deaths += 1

    def _log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self.is_stopping = True

    def _watch_the_guard(self) -> None:
        if self._guard is None or self._guard.poll() is not None:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guardian.__file__], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                start_new_session=True, cwd="/", pass_fds=(self.lock.descriptor,),
            )  # fmt: skip
            for child in self.children:
                if child.process:
                    self._tell(f"start {child.process.pid} {int(child.stop_signal)} {child.orphan_seconds}")

    def _tell(self, line: str) -> None:
        if self._guard and self._guard.stdin:
            with contextlib.suppress(BrokenPipeError):  # it died: _watch_the_guard tells the next one everything
                self._guard.stdin.write(line.encode() + b"\n")
                self._guard.stdin.flush()


def program(command: list[str], lock: CloneLock) -> Callable[[IO[bytes]], subprocess.Popen[bytes]]:
    """A `Child.start` for a plain command."""
    return lambda log: spawn(command, log=log, lock=lock)
