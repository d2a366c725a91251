"""The first thing that happens on a strange machine: `.venv` is made from the lock, or the reason why not is said."""

import ast
import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


class Clone:
    """A folder with the entry files and locks of its own; their one package is a file, so nothing is fetched."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "requirements").mkdir()
        for name in ("manage.py", "requirements/bootstrap.py"):
            shutil.copy(ROOT / name, folder / name)
        self.write_lock("start", version="1")
        self.write_lock("check", version="1")

    @property
    def environment(self):
        return self.folder / ".venv"

    @property
    def stamp(self):
        return (self.environment / ".installed-lock").read_text().split()

    def write_lock(self, name, version, digest=""):
        wheel = make_wheel(self.folder, version)
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        lock = f"# {name}\nlittle @ {wheel.as_uri()} --hash=sha256:{digest}\n"
        (self.folder / "requirements" / f"{name}.lock").write_text(lock)

    def run(self, *arguments, code=None, **environment):
        """Run manage.py, or `code` in its place, with a plain Python; give the exit code and what it said."""
        command = ["-c", code] if code else ["manage.py", *arguments]
        outcome = subprocess.run(
            [sys._base_executable, *command], cwd=self.folder, env=os.environ | {"PIP_NO_INDEX": "1"} | environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        return outcome.returncode, outcome.stdout

    def installed_version(self):
        code = "import little; print(little.VERSION)"
        return subprocess.check_output([self.environment / "bin" / "python", "-c", code], text=True).strip()


def make_wheel(folder, version):
    path = folder / f"little-{version}-py3-none-any.whl"
    files = {
        "little.py": f"VERSION = '{version}'\n",
        f"little-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: little\nVersion: {version}\n",
        f"little-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"little-{version}.dist-info/RECORD"
    lines = [f"{name},sha256={urlsafe_digest(text)},{len(text)}" for name, text in files.items()]
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (files | {record: "\n".join([*lines, f"{record},,", ""])}).items():
            wheel.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return path


def urlsafe_digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A clone in which everything was installed once."""
    clone = Clone(tmp_path_factory.mktemp("Klon mit Umlaut ä"))
    code, said = clone.run("install")
    assert code == 0, said
    assert "Making .venv" in said
    return clone


@pytest.fixture
def clone(first, tmp_path):
    """A copy of it, to spoil."""
    clone = Clone(tmp_path)
    shutil.copytree(first.folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    return clone


def test_the_environment_is_made_once_and_follows_its_lock(clone):
    assert clone.installed_version() == "1"
    assert clone.stamp[0] == "start.lock"
    assert clone.run("install") == (0, "")  # nothing to do, nothing said
    clone.write_lock("start", version="2")
    code, said = clone.run("install")
    assert code == 0, said
    assert "Making .venv" not in said  # brought up to date in place
    assert clone.installed_version() == "2"


def test_an_environment_of_the_checks_serves_everything_and_stays_one(clone):
    clone.write_lock("check", version="2")
    assert clone.run("install", "check")[0] == 0
    assert clone.stamp[0] == "check.lock"
    assert clone.run("install") == (0, "")
    clone.write_lock("check", version="1")
    assert clone.run("install")[0] == 0
    assert clone.stamp[0] == "check.lock"
    assert clone.installed_version() == "1"


def test_an_interrupted_installation_is_made_again_from_nothing(clone):
    half = clone.environment / "half-written"
    half.touch()
    (clone.environment / ".installed-lock").write_text("unfinished start.lock 3.11\n")
    assert clone.run("install")[0] == 0
    assert not half.exists()
    assert clone.stamp[0] == "start.lock"


def test_a_package_with_another_hash_is_refused(clone):
    clone.write_lock("start", version="3", digest="0" * 64)
    code, said = clone.run("install")
    assert code == 1
    assert "DO NOT MATCH THE HASHES" in said
    assert "The packages could not be installed" in said
    assert clone.stamp[0] == "unfinished"


def test_what_python_compiled_is_kept_even_where_the_machine_forbids_it(clone):
    enter = "from requirements import bootstrap; bootstrap.is_inside = lambda: True; bootstrap.enter(['up'])"
    child = "subprocess.check_call([sys.executable, '-c', 'import requirements.bootstrap'])"
    code = f"import subprocess, sys; {enter}; {child}"
    assert clone.run(code=code, PYTHONDONTWRITEBYTECODE="1") == (0, "")
    assert list(clone.folder.glob("requirements/__pycache__/bootstrap.*.pyc"))


def test_a_machine_that_brings_its_own_packages_gets_no_environment(tmp_path):
    clone = Clone(tmp_path)
    code = "from requirements import bootstrap; bootstrap.enter(['up']); print('went on')"
    assert clone.run(code=code, DATABOURSE_PACKAGES="installed") == (0, "went on\n")
    assert not clone.environment.exists()


@pytest.mark.parametrize(
    ("circumstance", "reason"),
    [
        ("sys.version_info = (3, 9, 2)", "Python 3.11 or newer is needed; this is 3.9"),
        ("os.name = 'nt'", "WSL2"),
        ("sys._base_executable = '/bin/false'", "apt-get install python3-venv"),
        ("shutil.disk_usage = lambda path: type('Usage', (), {'free': 5 * 2**20})", "too full: .* has 5 MB free"),
    ],
)
def test_what_is_in_the_way_is_said_plainly(tmp_path, circumstance, reason):
    clone = Clone(tmp_path)
    code = f"""
import os, shutil, sys
from requirements import bootstrap
{circumstance}
try:
    bootstrap.enter(["up"])
except bootstrap.CannotStart as reason:
    print(reason)
"""
    _code, said = clone.run(code=code, PATH="/nonexistent")
    assert re.search(reason, said), said
    assert not clone.environment.exists()


@pytest.mark.parametrize("name", ["manage.py", "requirements/bootstrap.py"])
def test_an_old_python_can_read_far_enough_to_say_that_it_is_too_old(name):
    ast.parse((ROOT / name).read_text(), feature_version=(3, 6))
