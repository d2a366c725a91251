"""The lock that keeps two starts from one clone apart."""

import os
import signal
import subprocess
import sys

import pytest

from marketplace.clone_lock import CloneLock, Held, is_alive


@pytest.fixture
def path(tmp_path):
    return tmp_path / "up.lock"


def test_a_second_taker_is_told_who_holds_it(path):
    first = CloneLock(path)
    first.take()
    with pytest.raises(Held) as refusal:
        CloneLock(path).take_within(60)  # does not wait: the holder lives
    assert refusal.value.pid == os.getpid()
    first.release()


def test_a_released_lock_leaves_no_file_and_can_be_taken_again(path):
    for _ in range(3):
        lock = CloneLock(path)
        lock.take()
        assert path.read_text() == str(os.getpid())
        lock.release()
        assert not path.exists()


def test_what_a_dead_taker_left_behind_holds_it_until_it_ends(path):
    taker = (
        "import subprocess, sys; from pathlib import Path; from marketplace.clone_lock import CloneLock;"
        f"lock = CloneLock(Path({str(path)!r})); lock.take();"
        "print(subprocess.Popen(['sleep', '600'], pass_fds=(lock.descriptor,), stdout=subprocess.DEVNULL).pid)"
    )
    remnant = int(subprocess.check_output([sys.executable, "-c", taker], env={**os.environ, "PYTHONPATH": os.getcwd()}))
    lock = CloneLock(path)
    with pytest.raises(Held):
        lock.take()
    lock.take_within(60, on_waiting=lambda: os.kill(remnant, signal.SIGKILL))
    assert not is_alive(remnant)
    lock.release()


def test_a_file_left_by_a_killed_taker_is_no_hindrance(path):
    path.write_text("999999999")
    lock = CloneLock(path)
    lock.take()
    assert path.read_text() == str(os.getpid())
    lock.release()
