"""`python3 manage.py up`, started, killed and started again for real."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from tests.bootstrap.processes import children_of, eventually, of_our_redis, processes_of

OWN = ("DATABASE_URL", "REDIS_URL", "BASE_URL", "STATE_DIR", "DEBUG", "SECRET_KEY", "ADMIN_PASSWORD")
ADMINISTRATOR = {"ADMIN_PASSWORD": "correct-horse-battery"}


class Up:
    """One run of the command in `state`; what it says is in `said`."""

    def __init__(self, state, *arguments, **environment):
        surroundings = {name: value for name, value in os.environ.items() if name not in OWN and "PYTEST" not in name}
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `end`
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", "0", "--workers", "1", *arguments],
            env=surroundings | {"STATE_DIR": str(state)} | environment,
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
        )  # fmt: skip

    @property
    def said(self):
        self.output.seek(0)
        return self.output.read()

    @property
    def url(self):
        return self.said.split("ready: ")[1].split()[0]

    def until_ready(self):
        eventually(lambda: "ready: " in self.said or self.process.poll() is not None, seconds=300)
        assert self.process.poll() is None, self.said
        return self

    def until_ended(self):
        self.process.wait(300)
        return self.process.returncode

    def answers(self, path):
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.status == 200
        return False

    def child(self, name):
        """The process id of the child whose command line has this in it, 0 if there is none just now."""
        return next((pid for pid, line in children_of(self.process.pid).items() if name in line), 0)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(300)
        self.output.close()


@pytest.fixture(scope="module")
def folder():
    """A state folder in which an empty exchange was opened once, and stopped."""
    state = Path(tempfile.mkdtemp(prefix="up state ", dir="/tmp"))
    state.chmod(0o755)
    run = Up(state, "--empty", "--admin-email", "ada@exchange.example", **ADMINISTRATOR)
    try:
        run.until_ready()
        assert "ada@exchange.example can now sign in" in run.said
    finally:
        run.end()
    yield state
    shutil.rmtree(state)


@pytest.fixture(scope="module")
def runs(folder):
    """The one run that goes on from test to test, until one ends it: each start takes seconds."""
    going = []
    yield going
    for run in going:
        run.end()


@pytest.fixture
def up(folder, runs):
    while runs and runs[0].process.poll() is not None:
        runs.pop(0).end()
    if not runs:
        runs.append(Up(folder))
    return runs[0].until_ready()


@pytest.fixture
def opened(folder, runs):
    """The folder, with nothing running in it."""
    while runs:
        runs.pop().end()
    return folder


def nothing_is_left(state):
    sockets = [path for path in state.rglob("*") if path.is_socket()]
    return (
        not processes_of(state)
        and not sockets
        and not list(state.glob("*.lock"))
        and not (state / "servers.json").exists()
    )


def test_a_second_start_says_that_it_already_runs_and_where(up, folder):
    second = Up(folder)
    assert second.until_ended() == 1
    assert f"already running at {up.url} (process {up.process.pid})" in second.said
    second.end()
    assert up.answers("/healthz")


def test_the_demo_does_not_open_while_workers_run(up, folder):
    eventually(lambda: up.answers("/readyz"))
    surroundings = {name: value for name, value in os.environ.items() if name not in OWN}
    opening = subprocess.run(
        [sys.executable, "manage.py", "demo", "--open"], env=surroundings | {"STATE_DIR": str(folder)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert opening.returncode == 1
    assert "The demo is not open: workers run" in opening.stderr
    assert "Sellers" not in opening.stdout and "%]" not in opening.stdout


@of_our_redis
def test_every_child_that_is_killed_starts_again(up):
    eventually(lambda: up.answers("/readyz"))
    names = ["postgres", "valkey-server", "granian", "marketplace worker", "marketplace beat"]
    before = {name: up.child(name) for name in names}
    assert all(before.values())
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: all(up.child(name) not in (0, before[name]) for name in names))
    eventually(lambda: up.answers("/readyz"))


def test_a_killed_up_leaves_no_process_and_the_next_start_recovers(up, folder, runs):
    eventually(lambda: any("celery" in line and "worker" in line for line in processes_of(folder).values()))
    up.process.kill()
    up.process.wait()
    eventually(lambda: not processes_of(folder))
    runs.append(Up(folder))
    assert runs[-1].until_ready().answers("/healthz")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_when_asked_to_stop_leaves_nothing(up, folder, number):
    assert up.answers("/healthz")
    assert processes_of(folder)
    up.process.send_signal(number)
    assert up.until_ended() == 0
    assert nothing_is_left(folder)


def test_a_taken_port_is_named_and_nothing_is_started(opened):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = Up(opened, "--port", str(port))
        assert run.until_ended() == 1
    assert f"Cannot listen on 127.0.0.1:{port} (Address already in use)" in run.said
    assert "answers" not in run.said
    run.end()
    assert nothing_is_left(opened)


def test_with_debug_off_it_refuses_to_start_without_keys_hosts_and_a_real_gateway(opened):
    run = Up(opened, DEBUG="off", SANDBOX_GATEWAY="on")
    assert run.until_ended() == 1
    for missing in ("SECRET_KEY is not set", "ALLOWED_HOSTS is empty", "sandbox gateway moves no money"):
        assert missing in run.said
    run.end()
    assert nothing_is_left(opened)


def test_an_empty_exchange_needs_an_administrator(state):
    run = Up(state, "--empty")
    assert run.until_ended() == 1
    assert "give --admin-email" in run.said
    run.end()
    assert nothing_is_left(state)


def test_a_database_that_holds_the_demo_is_not_opened_as_empty(opened):
    record = opened / "servers" / "opened-with"
    assert record.read_text() == "empty\n"  # so no later start puts the demo into it either
    record.write_text("demo\n")
    try:
        run = Up(opened, "--empty")
        assert run.until_ended() == 1
        assert "The demo exchange is already open in this database." in run.said
        run.end()
    finally:
        record.write_text("empty\n")
    assert nothing_is_left(opened)


def test_no_worker_starts_on_a_demo_that_was_opened_half(opened):
    record = opened / "servers" / "opened-with"
    record.write_text("demo\n")
    (opened / "log" / "worker.log").unlink(missing_ok=True)
    try:
        run = Up(opened)
        eventually(lambda: run.child("manage.py demo --open"), seconds=120)
        os.kill(run.child("manage.py demo --open"), signal.SIGKILL)
        assert run.until_ended() == 1
        assert "The demo exchange is not open to its end, so no worker was started" in run.said
        assert "ready: " not in run.said and not (opened / "log" / "worker.log").exists()
        run.end()
    finally:
        record.write_text("empty\n")
    assert nothing_is_left(opened)
