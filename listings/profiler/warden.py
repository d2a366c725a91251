"""Starts the jail from outside, keeps the backstop clock, caps what comes out of it, and leaves no process behind."""

from __future__ import annotations

import compileall
import functools
import io
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PACKAGE_FOLDER = Path(__file__).resolve().parent
PACKAGES = ("duckdb", "pyarrow", "python_calamine", "charset_normalizer")
ANSWER_BYTES = 8 * 1024 * 1024
COMPLAINT_BYTES = 64 * 1024
BACKSTOP_SECONDS = 10  # after the jail's own clock, should the jail itself hang
PROGRESS_EVERY_SECONDS = 1.0
WALLS = ("network", "files", "processes", "memory")


@dataclass(frozen=True)
class Outcome:
    """How a jailed program ended.

    `status` is its exit status, 128 + the signal that ended it, one of the jail's own three, or None if it was cut off
    because it printed too much or the backstop clock struck. `walls` says which of WALLS stood around it.
    """

    status: int | None
    answer: bytes
    complaint: str
    walls: dict[str, bool]

    @property
    def printed_too_much(self) -> bool:
        return len(self.answer) > ANSWER_BYTES or len(self.complaint) >= COMPLAINT_BYTES


def run_jailed(
    program: str,
    request: bytes = b"",
    *,
    input_file: Path | None = None,
    timeout_seconds: int,
    memory_bytes: int,
    all_walls_required: bool = False,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Outcome:
    """Run Python source in the jail, with `request` on its standard input and INPUT naming the one file it may read.

    `on_progress` hears at most once a second which share of its work (0 to 1) the program says it has done.

    This package is importable there as `profiler`. With `all_walls_required` a program that would lack one is not
    started: its status is that of `jail.NOT_GRANTED`.
    """
    compile_packages()
    facts_out, facts_in = os.pipe()
    progress_out, progress_in = os.pipe()
    os.set_blocking(progress_in, False)
    plan = {
        "program": program,
        "python": interpreter(),
        "package": str(PACKAGE_FOLDER),
        "site_packages": site_packages(),
        "read": [interpreter(), sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *site_packages()],
        "input": str(input_file.resolve(strict=True)) if input_file else "",
        "timeout_seconds": timeout_seconds,
        "memory_bytes": memory_bytes,
        "required": all_walls_required,
        "facts": facts_in,
        "progress": progress_in,
    }
    with os.fdopen(facts_out, "rb") as facts, os.fdopen(progress_out, "rb", buffering=0) as progress:
        try:
            process = subprocess.Popen(
                [interpreter(), "-I", "-S", "-B", str(PACKAGE_FOLDER / "jail.py"), json.dumps(plan)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                pass_fds=(facts_in, progress_in),
                start_new_session=True,
            )
        finally:
            os.close(facts_in)
            os.close(progress_in)
        try:
            seconds = timeout_seconds + BACKSTOP_SECONDS
            answer, complaint, is_finished = listen(process, request, seconds, ProgressHeard(progress, on_progress))
        finally:
            end(process)
        told = json.loads(facts.read(1000) or b"{}")
    return Outcome(
        status=process.returncode if is_finished else None,
        answer=answer,
        complaint=complaint.decode(errors="replace"),
        walls={wall: told.get(wall) is True for wall in WALLS},
    )


class ProgressHeard:
    """What the program says of its progress, on a pipe: the newest word counts, and only once a second."""

    def __init__(self, pipe: io.FileIO, on_progress: Callable[[float], None]) -> None:
        self.pipe = pipe
        self.on_progress = on_progress
        self.told_at = time.monotonic()

    def hear(self) -> bool:
        """Read what there is; False at the pipe's end. Anything but thousandths is passed over."""
        chunk = os.read(self.pipe.fileno(), 65536)
        newest = chunk.rstrip(b"\n").rpartition(b"\n")[2]
        if newest.isdigit() and len(newest) <= 3 and time.monotonic() - self.told_at >= PROGRESS_EVERY_SECONDS:
            self.told_at = time.monotonic()
            self.on_progress(int(newest) / 1000)
        return bool(chunk)


def listen(
    process: subprocess.Popen[bytes], request: bytes, seconds: float, progress: ProgressHeard
) -> tuple[bytes, bytes, bool]:
    """Send the request, collect what is printed and complained, and say whether the process closed both itself."""
    answer, complaint = bytearray(), bytearray()
    struck_at = time.monotonic() + seconds
    waited_for = 2  # the pipe of progress is not waited for: it may outlive both
    with selectors.DefaultSelector() as selector:
        selector.register(progress.pipe, selectors.EVENT_READ, None)
        for pipe, heard in ((process.stdout, answer), (process.stderr, complaint)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, heard)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE, bytearray(request))
            waited_for += 1
        while waited_for:
            ready = selector.select(max(0.0, struck_at - time.monotonic()))
            if time.monotonic() > struck_at or len(answer) > ANSWER_BYTES or len(complaint) > COMPLAINT_BYTES:
                return bytes(answer), bytes(complaint[:COMPLAINT_BYTES]), False
            for key, _ in ready:
                if key.fileobj is progress.pipe:
                    if not progress.hear():
                        selector.unregister(progress.pipe)
                elif key.fileobj is process.stdin:
                    waited_for -= send(process, selector, key.data)
                elif chunk := os.read(key.fd, 65536):
                    key.data.extend(chunk)
                else:
                    selector.unregister(key.fileobj)
                    waited_for -= 1
    return bytes(answer), bytes(complaint), True


def send(process: subprocess.Popen[bytes], selector: selectors.BaseSelector, request: bytearray) -> bool:
    """Write what the pipe takes; close it after the last byte, or when nobody reads any more, and say so."""
    if process.stdin is None:
        return True
    try:
        del request[: os.write(process.stdin.fileno(), request[:65536])]
    except BrokenPipeError:
        request.clear()  # it ended before reading; its status and complaint say why
    if not request:
        selector.unregister(process.stdin)
        process.stdin.close()
        return True
    return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Leave no process behind: let it end, then ask the jail's keeper to kill and reap the program, then insist."""
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def interpreter() -> str:
    """The real interpreter behind a virtual environment's link: its own folder tells it where its library is."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


@functools.cache
def package_folders() -> list[Path]:
    """Where our four packages lie."""
    origins = [spec.origin for spec in map(find_spec, PACKAGES) if spec and spec.origin]
    return [Path(origin).resolve().parent for origin in origins]


def site_packages() -> list[str]:
    """The folders our four packages were installed in."""
    return sorted({str(folder.parent) for folder in package_folders()})


@functools.cache
def compile_packages() -> None:
    """Compile, once a process and only what changed, the Python files that the jail imports and may not write about.

    Without it each jail compiles them anew, half again the time its start takes. Where this process may not write
    either, whoever installed the packages has compiled them.
    """
    if not sys.dont_write_bytecode:
        for folder in (PACKAGE_FOLDER, *package_folders()):
            compileall.compile_dir(folder, rx=re.compile(r"/tests?/"), quiet=2)
