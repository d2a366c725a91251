"""From inside the disposable process nothing of the machine is in reach; where that is not granted, it is said."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from listings import isolation
from listings.profiler import jail, warden

MEGABYTE = 1024 * 1024
WALLED = "from profiler import system_calls; system_calls.refuse()\n"


def run(program: str, *, walls: bool = True, **wishes) -> warden.Outcome:
    """The outcome of a probe, with the filter of system calls (`walls`) or behind the namespaces alone."""
    asked = {"timeout_seconds": 20, "memory_bytes": 1024 * MEGABYTE} | wishes
    return warden.run_jailed((WALLED if walls else "") + textwrap.dedent(program), **asked)


def told(program: str, **wishes) -> object:
    outcome = run("import json\n" + textwrap.dedent(program), **wishes)
    assert outcome.status == 0, outcome.complaint
    return json.loads(outcome.answer)


@pytest.fixture
def granted() -> None:
    """This machine grants the walls; elsewhere the tests at the end of this file hold instead."""
    if not isolation.grants().is_complete:
        pytest.skip(isolation.grants().warning)


@pytest.mark.parametrize("walls", [True, False])
def test_sockets_reach_nothing(granted, walls):
    listener = socket.create_server(("127.0.0.1", 0))
    hidden = socket.socket(socket.AF_UNIX)
    hidden.bind("\0databourse-probe-" + str(os.getpid()))
    hidden.listen()
    with listener, hidden:
        reached = told(
            f"""
            import socket
            reached = []
            for family, address in [
                (socket.AF_INET, ("127.0.0.1", {listener.getsockname()[1]})),
                (socket.AF_INET, ("192.0.2.1", 80)),
                (socket.AF_INET, ("8.8.8.8", 53)),
                (socket.AF_UNIX, {hidden.getsockname()!r}),
            ]:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    try:
                        with socket.socket(family, kind) as attempt:
                            attempt.settimeout(1)
                            attempt.connect(address)
                            reached.append(repr(address))
                    except OSError:
                        pass
            try:
                socket.getaddrinfo("example.com", 80)
                reached.append("names")
            except OSError:
                pass
            print(json.dumps(reached))
            """,
            walls=walls,
        )
    assert reached == []


def test_the_environment_is_empty_also_that_of_the_first_process(granted, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "not for sellers' files")
    answer = told(
        """
        import os
        environments = []
        for number in [*range(1, 50), "self"]:
            try:
                environments.append(open(f"/proc/{number}/environ").read())
            except OSError:
                pass
        print(json.dumps([dict(os.environ), environments, os.path.exists("/proc/1")]))
        """,
        walls=False,
    )
    assert answer[1:] == [[], False]
    assert "SECRET_TOKEN" not in answer[0] and not set(answer[0]) - {"LC_CTYPE"}  # Python sets this one for itself


def test_host_files_are_out_of_reach(granted, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    places = [
        "/etc/passwd",
        "/etc/hostname",
        "/proc/1/root/etc/passwd",
        "/dev/sda",
        "/sys",
        "/home",
        "/var/log",
        str(secret),
    ]
    places += [str(Path(__file__)), str(Path(isolation.__file__)), str(Path(isolation.__file__).parent / "models.py")]
    places += [f"/input/../..{secret}", f"/../../..{secret}", str(Path.home() / ".bashrc")]
    answer = told(
        f"""
        import os
        reached = [place for place in {places!r} if os.path.exists(place)]
        print(json.dumps([reached, sorted(os.listdir("/")), os.getcwd()]))
        """,
        walls=False,
    )
    assert answer[0] == []
    assert not set(answer[1]) & {"etc", "proc", "sys", "dev", "boot", "var"}
    assert answer[2] == "/"


def test_only_the_one_file_is_there_and_nothing_can_be_written(granted, tmp_path):
    given = tmp_path / "given.csv"
    given.write_text("id\n1\n")
    (tmp_path / "neighbour.csv").write_text("id\n2\n")
    answer = told(
        """
        import os, sys
        written = []
        folders = [*sys.path, "/", "/tmp", "/profiler", os.path.dirname(os.__file__), "/dev/shm"]
        places = [INPUT, "/profiler/report.py", os.__file__, sys.executable]
        for place in [*places, *(f"{folder}/new" for folder in folders)]:
            for how in ("r+b", "ab", "wb"):
                try:
                    with open(place, how) as file:
                        file.write(b"x")
                        file.flush()
                    written.append([place, how])
                except OSError:
                    pass
        attempts = [(os.unlink, INPUT), (os.chmod, INPUT, 511), (os.mkdir, "/new"), (os.rename, INPUT, "/x")]
        for act, *arguments in attempts:
            try:
                act(*arguments)
                written.append(act.__name__)
            except OSError:
                pass
        print(json.dumps([INPUT, open(INPUT).read(), written, [name for name in os.listdir("/") if "csv" in name]]))
        """,
        walls=False,
        input_file=given,
    )
    assert answer == ["/input", "id\n1\n", [], []]
    assert given.read_text() == "id\n1\n"


def test_the_engine_reaches_no_more_than_python_does(granted):
    answer = told(
        """
        from profiler.__main__ import spare_address_space
        spare_address_space()
        import duckdb
        connection = duckdb.connect()
        reached = []
        for question in [
            "FROM read_text('/etc/passwd')", "FROM glob('/etc/*')", "FROM read_csv('/proc/1/environ')",
            "INSTALL httpfs", "FROM read_csv('http://192.0.2.1/x')", "COPY (SELECT 1) TO '/tmp/x'", "ATTACH '/x.db'",
        ]:
            try:
                if connection.execute(question).fetchall() != []:
                    reached.append(question)
            except Exception:
                pass
        print(json.dumps(reached))
        """
    )
    assert answer == []


def test_no_other_process_is_in_sight_and_none_can_be_started(granted):
    answer = told(
        f"""
        import os, ctypes, signal
        done = []
        for name, act in {{
            "signal the test": lambda: os.kill({os.getpid()}, 0),
            "signal the parent": lambda: os.kill(os.getppid() or 99, 0),
            "fork": lambda: os.fork() or os._exit(0),
            "execute": lambda: os.execv({sys.executable!r}, ["python", "-c", "1"]),
            "trace": lambda: ctypes.CDLL(None).ptrace(0, 0, 0, 0) and 1 / 0,
            "unshare": lambda: ctypes.CDLL(None).unshare(0x10000000) and 1 / 0,
            "mount": lambda: ctypes.CDLL(None).mount(b"x", b"/", b"tmpfs", 0, None) and 1 / 0,
            "chroot": lambda: os.chroot("/"),
            "become root": lambda: os.setuid(0),
            "leave the session": lambda: os.setsid(),
        }}.items():
            try:
                act()
                done.append(name)
            except (OSError, ZeroDivisionError):
                pass
        capabilities = (ctypes.c_uint32 * 6)()
        ctypes.CDLL(None).capget((ctypes.c_uint32 * 2)(0x20080522, 0), capabilities)
        print(json.dumps([done, os.getppid(), os.getuid(), list(capabilities)]))
        """
    )
    assert answer == [[], 0, 65534, [0] * 6]


def test_without_the_filter_a_child_cannot_outlive_its_namespace(granted):
    outcome = run(
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
        print("left", flush=True)
        os._exit(0)
        """,
        walls=False,
    )
    assert outcome.status == 0
    assert survivors() == []


def survivors() -> list[str]:
    """Command lines of processes that a jail has left behind, zombies included."""
    time.sleep(0.2)
    listing = subprocess.run(["ps", "-eo", "pid,ppid,stat,args"], capture_output=True, text=True, check=True).stdout
    return [
        line
        for line in listing.splitlines()
        if f" {os.getpid()} " in line and ("Z" in line.split()[2] or "jail.py" in line)
    ]


def test_a_memory_bomb_dies_alone(granted):
    outcome = run("kept = []\nwhile True: kept.append(bytearray(32 * 1024 * 1024))", memory_bytes=1024 * MEGABYTE)
    assert outcome.status == 1
    assert "MemoryError" in outcome.complaint
    assert survivors() == []
    with pytest.raises(isolation.ProfileFailed) as failure:
        isolation.read_answer(outcome, timeout_seconds=20)
    assert failure.value.code == "out_of_memory"


def test_a_program_that_spins_is_killed_in_time_and_reaped():
    started_at = time.monotonic()
    outcome = run("while True: pass", timeout_seconds=1)
    assert outcome.status == jail.TOOK_TOO_LONG
    assert time.monotonic() - started_at < 5
    assert survivors() == []


def test_a_program_that_closes_its_mouth_and_stays_is_killed():
    outcome = run("import os, time\nos.close(1); os.close(2); time.sleep(600)")
    assert outcome.status == jail.TOOK_TOO_LONG
    assert survivors() == []


def test_a_flood_of_output_is_cut_off():
    outcome = run("import sys\nwhile True: sys.stdout.write('x' * 65536)")
    assert outcome.status is None
    assert warden.ANSWER_BYTES < len(outcome.answer) < warden.ANSWER_BYTES + MEGABYTE
    assert survivors() == []
    with pytest.raises(isolation.ProfileFailed, match="broken_file"):
        isolation.read_answer(outcome, timeout_seconds=20)


def test_limits_hold_for_files_descriptors_threads_and_core_dumps():
    answer = told(
        """
        import resource
        names = ("FSIZE", "CORE", "NOFILE", "AS")
        print(json.dumps([resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1] for name in names]))
        """
    )
    assert answer == [0, 0, 64, 1024 * MEGABYTE]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "broken_file"),
        (b"[]", "broken_file"),
        (b'{"rows": 1}', "broken_file"),
        (b"[" * 100_000, "broken_file"),
        (b'{"failed": {"code": "empty", "sentence": "The file is empty."}}', "empty"),
    ],
)
def test_an_answer_is_not_believed_to_be_a_report_unless_it_is_one(answer, code):
    outcome = warden.Outcome(status=0, answer=answer, complaint="", walls=dict.fromkeys(warden.WALLS, True))
    with pytest.raises(isolation.ProfileFailed) as failure:
        isolation.read_answer(outcome, timeout_seconds=20)
    assert failure.value.code == code


def test_a_crash_is_a_readable_failure_and_its_log_line_quotes_nothing(caplog):
    outcome = run("def read(): raise ValueError('13800138000')\nread()")
    with pytest.raises(isolation.ProfileFailed, match="broken_file"):
        isolation.read_answer(outcome, timeout_seconds=20)
    assert "in read; ValueError" in caplog.text
    assert "13800138000" not in caplog.text


@pytest.mark.parametrize("ending", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_process_ended_by_a_signal_is_a_readable_failure(ending):
    outcome = run(f"import ctypes, signal\nsignal.signal({int(signal.SIGSEGV)}, signal.SIG_DFL)\nctypes.string_at(0)")
    assert outcome.status == 128 + signal.SIGSEGV
    ended = warden.Outcome(status=128 + ending, answer=b"", complaint="", walls=outcome.walls)
    with pytest.raises(isolation.ProfileFailed) as failure:
        isolation.read_answer(ended, timeout_seconds=20)
    assert failure.value.code == ("out_of_memory" if ending == signal.SIGKILL else "broken_file")


def test_the_jail_ends_with_the_worker_that_started_it(tmp_path):
    program = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(Path(isolation.__file__).parent.parent)!r})
        from listings.profiler import warden
        warden.run_jailed("import time; time.sleep(611)", timeout_seconds=600, memory_bytes=1024**3)
        """
    )
    worker = subprocess.Popen([sys.executable, "-c", program])
    assert eventually(lambda: len(processes_of("time.sleep(611)")) >= 3)  # the worker, the jail's keeper, the program
    worker.kill()
    worker.wait()
    assert eventually(lambda: processes_of("time.sleep(611)") == [])


def processes_of(words: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if words in (folder / "cmdline").read_text(errors="replace") and " Z " not in (folder / "stat").read_text():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def eventually(condition) -> bool:
    for _ in range(100):
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_several_profiles_at_once_do_not_disturb_each_other(tmp_path):
    reports, threads = {}, []
    for number in range(4):
        path = tmp_path / f"{number}.csv"
        path.write_text("id\n" + "".join(f"{n}\n" for n in range(100 + number)))
        profile = lambda number=number, path=path: reports.update(  # noqa: E731
            {
                number: isolation.profile_file(
                    path, name="a.csv", key_columns=None, timeout_seconds=60, memory_bytes=1024**3
                )["rows"]
            }
        )
        threads.append(threading.Thread(target=profile))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reports == {number: 100 + number for number in range(4)}


def test_a_required_jail_gives_a_report_that_warns_of_nothing(granted, profiled):
    report = profiled("id\n1\n", require_isolation=True)
    assert report["isolation"] == {"network": True, "files": True, "processes": True, "memory": True, "warning": ""}


NO_NAMESPACES = """
import ctypes, json, os, pathlib, sys
sys.path.insert(0, {root!r})
user, group = os.geteuid(), os.getegid()
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000) != 0:
    sys.exit(77)
for name, text in (("setgroups", "deny"), ("uid_map", f"0 {{user}} 1"), ("gid_map", f"0 {{group}} 1")):
    pathlib.Path(f"/proc/self/{{name}}").write_text(text)
for kind in ("user", "mnt", "pid", "net"):
    pathlib.Path(f"/proc/sys/user/max_{{kind}}_namespaces").write_text("0")
from listings import isolation
path = pathlib.Path({path!r})
wishes = dict(name="a.csv", key_columns=None, timeout_seconds=60, memory_bytes=1024**3)
report = isolation.profile_file(path, **wishes)
try:
    isolation.profile_file(path, require_isolation=True, **wishes)
    refusal = ""
except isolation.IsolationUnavailable as unavailable:
    refusal = unavailable.sentence
bomb = isolation.warden.run_jailed(
    "kept = []\\nwhile True: kept.append(bytearray(2**25))", timeout_seconds=20, memory_bytes=1024**3
)
calls = isolation.warden.run_jailed(
    "from profiler import system_calls; system_calls.refuse(); import socket; socket.socket()",
    timeout_seconds=20, memory_bytes=1024**3,
)
granted = isolation.grants().as_json()
print(json.dumps([report["rows"], report["isolation"], refusal, granted, bomb.complaint, calls.complaint]))
"""


def test_where_namespaces_are_not_granted_the_report_warns_and_a_requirement_refuses(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id\n1\n2\n")
    root = str(Path(isolation.__file__).parent.parent)
    ended = subprocess.run(
        [sys.executable, "-c", NO_NAMESPACES.format(root=root, path=str(path))],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if ended.returncode == 77:  # this machine itself grants none: then it is the example
        assert not isolation.grants().is_complete
        with pytest.raises(isolation.IsolationUnavailable):
            isolation.profile_file(
                path, name="a.csv", key_columns=None, timeout_seconds=60, memory_bytes=1024**3, require_isolation=True
            )
        return
    assert ended.returncode == 0, ended.stderr
    rows, walls, refusal, granted, bomb, calls = json.loads(ended.stdout)
    assert rows == 2
    warning = walls.pop("warning")
    assert walls == {"network": False, "files": False, "processes": False, "memory": True}
    assert warning.startswith("This machine grants no network, file system, process isolation")
    assert refusal == warning == granted["warning"]
    assert "MemoryError" in bomb  # the caps hold without the walls,
    assert "PermissionError" in calls  # and so does the filter of system calls


def test_progress_is_heard_at_most_once_a_second_and_only_as_thousandths():
    program = """
        import os, time
        for told in (b"1\\n2\\n", b"-5\\n", b"1001\\n", b"DROP\\n", b"250\\n300\\n"):
            time.sleep(0.6)
            os.write(3, told)
        time.sleep(0.6)
        for number in range(200_000):
            try:
                os.write(3, b"999\\n")
            except BlockingIOError:
                break
        print("done")
    """
    heard: list[float] = []
    outcome = run(program, on_progress=heard.append)
    assert (outcome.status, outcome.answer) == (0, b"done\n")
    assert set(heard) <= {0.3, 0.999} and 1 <= len(heard) <= 3


def test_a_large_file_tells_how_much_of_it_was_read(tmp_path, monkeypatch):
    monkeypatch.setattr(warden, "PROGRESS_EVERY_SECONDS", 0)  # a fast machine has read it within a second
    path = tmp_path / "large.csv"
    path.write_text("id,name\n" + "".join(f"{n},name {n}\n" for n in range(500_000)))
    heard: list[float] = []
    isolation.profile_file(
        path, name="large.csv", key_columns=None, timeout_seconds=120, memory_bytes=1024**3, on_progress=heard.append
    )
    assert heard and heard == sorted(heard)
    assert all(0 < share < 1 for share in heard)


@pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
def test_packages_behind_a_symbolic_link_are_found(tmp_path):
    """As where the virtual environment is a link: every path the jail binds is a real one."""
    link = tmp_path / "venv"
    link.symlink_to(sys.prefix, target_is_directory=True)
    folders = [str(link / Path(folder).relative_to(Path(sys.prefix).resolve())) for folder in warden.site_packages()]
    linked = f"import sys; sys.path[:0] = {folders!r}; from listings import isolation; "
    program = linked + (
        "from pathlib import Path; "
        "print(isolation.profile_file(Path('data.csv'), name='data.csv', key_columns=None, timeout_seconds=60, "
        "memory_bytes=2**30)['rows'])"
    )
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    told = {"PYTHONPATH": str(Path(isolation.__file__).parent.parent)}
    asked = [warden.interpreter(), "-S", "-c", program]
    answer = subprocess.run(asked, cwd=tmp_path, env=told, capture_output=True, text=True, timeout=120)
    assert (answer.stdout, answer.returncode) == ("1\n", 0), answer.stderr[-2000:]


def test_what_the_jail_imports_is_compiled_outside_where_this_process_may_write(monkeypatch):
    compiled = Path(cache_from_source(str(warden.PACKAGE_FOLDER / "harmless.py")))
    for forbids in (True, False):
        compiled.unlink(missing_ok=True)
        monkeypatch.setattr(sys, "dont_write_bytecode", forbids)
        warden.compile_packages.cache_clear()
        assert told("import sys; print(json.dumps(sys.dont_write_bytecode))") is True
        assert compiled.exists() is not forbids
