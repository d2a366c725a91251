"""The parent of everything that runs: what dies starts again, and nothing outlives the parent."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from marketplace.clone_lock import CloneLock, is_alive
from marketplace.embedded import CannotServe, Postgres
from marketplace.quarters import quarters_in
from marketplace.supervisor import Child, Stopping, Supervisor, program
from tests.bootstrap.processes import children_of, eventually, processes_of


@pytest.fixture
def lock(state):
    lock = CloneLock(state / "lock")
    lock.take()
    yield lock
    lock.release()


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(state, lock, said):
    with Supervisor(state / "log", lock, said.append) as supervisor:
        yield supervisor


def child_of(lock, script, name="sleeper", **options):
    return Child(name, program(["sh", "-c", script], lock), **options)


def tick_until(supervisor, condition):
    """As `eventually`, while the supervisor does its work."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        supervisor.tick()


def test_a_killed_child_starts_again(supervisor, lock, said):
    child = child_of(lock, "exec sleep 1000")
    supervisor.add(child)
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    tick_until(supervisor, lambda: child.process and child.process.pid != first)
    assert is_alive(child.process.pid)
    assert said[0].startswith("sleeper was killed by SIGKILL; it starts again in 0.5 s")


def test_a_child_that_keeps_dying_is_started_less_and_less_often(supervisor, lock, said):
    supervisor.add(child_of(lock, "exit 3"))
    tick_until(supervisor, lambda: len(said) == 3)
    assert [line.split(" (see")[0] for line in said] == [
        "sleeper ended with code 3; it starts again in 0.5 s",
        "sleeper ended with code 3; it starts again in 1.0 s",
        "sleeper ended with code 3; it starts again in 2.0 s",
    ]


def test_a_child_that_ends_before_it_is_ready_is_an_error_that_shows_its_log(supervisor, lock):
    child = child_of(lock, "echo no such luck; exit 1", is_ready=lambda process: False)
    supervisor.add(child)
    with pytest.raises(CannotServe, match="(?s)sleeper did not start.*no such luck"):
        supervisor.wait_until_ready(child)


def test_what_a_dead_child_leaves_in_its_session_is_ended_before_it_starts_again(supervisor, lock, state):
    child = child_of(lock, f"sleep 1000 & echo $! > {state}/grandchild; wait")
    supervisor.add(child)
    eventually(lambda: (state / "grandchild").exists() and (state / "grandchild").read_text().strip())
    grandchild, first = int((state / "grandchild").read_text()), child.process.pid
    os.kill(first, signal.SIGKILL)
    tick_until(supervisor, lambda: child.process and child.process.pid != first)
    eventually(lambda: not is_alive(grandchild))


def test_children_are_stopped_in_the_reverse_order(state, lock):
    note = f"trap 'echo $0 >> {state}/order; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    with Supervisor(state / "log", lock, print) as supervisor:
        for name in ("first", "second", "third"):
            log = state / "log" / f"{name}.log"
            child = Child(
                name,
                program(["sh", "-c", note, name], lock),
                is_ready=lambda _process, log=log: log.read_text() == "up\n",
            )
            supervisor.add(child)
            supervisor.wait_until_ready(child)
    assert (state / "order").read_text().split() == ["third", "second", "first"]


def test_a_child_that_will_not_stop_is_killed(state, lock):
    with Supervisor(state / "log", lock, print) as supervisor:
        child = child_of(lock, "trap '' TERM; echo up; while :; do sleep 0.05; done", stop_seconds=0.3)
        child.is_ready = lambda _process: "up" in (state / "log" / "sleeper.log").read_text()
        supervisor.add(child)
        supervisor.wait_until_ready(child)
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_to_stop_and_handlers_are_put_back(state, lock, number):
    outer = signal.signal(number, signal.SIG_DFL)  # whoever started the tests may have said nohup
    try:
        with Supervisor(state / "log", lock, print) as supervisor:
            supervisor.tick()
            os.kill(os.getpid(), number)
            with pytest.raises(Stopping):
                supervisor.tick()
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, outer)


def test_under_nohup_a_hang_up_stays_ignored(state, lock):
    outer = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Supervisor(state / "log", lock, print) as supervisor:
            os.kill(os.getpid(), signal.SIGHUP)
            supervisor.tick()
    finally:
        signal.signal(signal.SIGHUP, outer)


def test_a_killed_database_is_started_again_with_its_rows(supervisor, lock, state):
    quarters = quarters_in(state)
    quarters.furnish()
    postgres = Postgres(quarters, lock, durable=True)
    postgres.prepare()
    child = Child("postgres", postgres.start, postgres.is_ready, postgres.stop_signal, postgres.stop_seconds)
    supervisor.add(child)
    supervisor.wait_until_ready(child)
    with psycopg.connect(quarters.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    tick_until(supervisor, lambda: child.process and child.process.pid != first and child.is_ready(child.process))
    with psycopg.connect(quarters.database_url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]


PARENT = """
import sys
from pathlib import Path
from marketplace.clone_lock import CloneLock
from marketplace.supervisor import Child, Supervisor, program
state = Path(sys.argv[1])
lock = CloneLock(state / "lock")
lock.take()
with Supervisor(state / "log", lock, print) as supervisor:
    stubborn = f"trap '' TERM; (trap '' TERM; while :; do sleep 0.1; done) & while :; do sleep 0.1; done # {state}"
    supervisor.add(Child("stubborn", program(["sh", "-c", stubborn], lock), stop_seconds=0.3))
    print("up", flush=True)
    supervisor.watch()
"""


@pytest.mark.parametrize("guard_dies_first", [False, True])
def test_nothing_outlives_a_killed_parent_not_even_stubborn_grandchildren(state, guard_dies_first):
    command = [sys.executable, "-c", PARENT, str(state)]
    parent = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.getcwd()}, stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "up\n"
    eventually(lambda: len([line for line in processes_of(state).values() if line.startswith("sh ")]) == 2)
    if guard_dies_first:
        (guard,) = guards_of(parent.pid)
        os.kill(guard, signal.SIGKILL)
        eventually(lambda: guards_of(parent.pid) not in ([], [guard]))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not processes_of(state))
    lock = CloneLock(state / "lock")
    lock.take_within(60)
    lock.release()


def guards_of(parent):
    return [pid for pid, line in children_of(parent).items() if "guardian" in line]
