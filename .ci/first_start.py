"""What a stranger does: clone, one command, one whole trade over HTTP to its certificate, Ctrl-C, and once more."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from marketplace.demo.cast import HOUSES, PASSWORD  # noqa: E402 - the path comes first
from tests.bootstrap.processes import eventually, processes_of  # noqa: E402
from tests.journeys import whole_trade  # noqa: E402
from tests.journeys.visitor import Visitor  # noqa: E402

FIRST_START_SECONDS = 900
SECOND_START_SECONDS = 120
TRADE_STEP_SECONDS = 120


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_request: object) -> None:
        return None


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whoever ends us early finds nothing of ours left
    with clean_clone() as clone:
        with running(clone, FIRST_START_SECONDS) as url:
            require_page(url + "/")
            eventually(lambda: status_of(url + "/readyz") == 200)
            print("ready: database, Redis, worker and beat answer", flush=True)
            drive_trade(url)
        with running(clone, SECOND_START_SECONDS) as url:
            require_page(url + "/")


@contextlib.contextmanager
def clean_clone() -> Iterator[Path]:
    """HEAD, as somebody else would get it; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="first start "))
    folder.chmod(0o755)
    try:
        clone = folder / "databourse"
        subprocess.run(
            ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True, env=plain_environment()
        )
        yield clone
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(clone: Path, seconds: float) -> Iterator[str]:
    """The exchange in `clone`, at the address it printed. Afterwards it must have stopped and left nothing."""
    began = time.monotonic()
    log = clone.parent / "said"
    with log.open("w") as output:
        up = subprocess.Popen(
            ["python3", "manage.py", "up", "--port", "0"], cwd=clone, env=plain_environment(),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        eventually(lambda: "ready: " in log.read_text() or up.poll() is not None, seconds)
        require(up.poll() is None, "`up` ended by itself")
        print(f"`up` was ready after {time.monotonic() - began:.1f} s", flush=True)
        yield log.read_text().split("ready: ")[1].split()[0]
        up.send_signal(signal.SIGTERM)
        require(up.wait(120) == 0, f"`up` ended with code {up.returncode}")
    finally:
        if up.poll() is None:
            up.kill()
            up.wait()
        print("".join(f"    {line}\n" for line in log.read_text().splitlines()), end="", flush=True)
    require(not processes_of(clone), f"processes were left: {processes_of(clone)}")
    left = [path for path in clone.joinpath(".local").rglob("*") if path.is_socket() or path.suffix == ".lock"]
    require(not left, f"sockets or locks were left: {left}")


def plain_environment() -> dict[str, str]:
    """A stranger's: the way to programs and packages, and nothing that steers the exchange."""
    keep = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in keep or name.startswith("PIP_") or "proxy" in name.lower()
    }
    # The clone's owner and the caller may differ, as in most build machines.
    return kept | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}


def drive_trade(url: str) -> None:
    """One trade from an empty studio to its certificate, over HTTP, carried by the clone's own workers."""
    staff, members = "exchange.example", {house.key: house.people[0].email for house in HOUSES}
    people = whole_trade.People(
        seller=Visitor(url).sign_in(members["health"], PASSWORD),
        buyer=Visitor(url).sign_in(members["peak"], PASSWORD),
        reviewers=(
            Visitor(url).sign_in(f"review@{staff}", PASSWORD),
            Visitor(url).sign_in(f"review2@{staff}", PASSWORD),
        ),
        officer=Visitor(url).sign_in(f"clearing@{staff}", PASSWORD),
        stranger=Visitor(url),
    )
    print(f"certificate {whole_trade.drive(people, wait)} was issued and checked", flush=True)


def wait(holds: Callable[[], Any], what: str) -> Any:
    """The workers do it by themselves; ask until they have."""
    until = time.monotonic() + TRADE_STEP_SECONDS
    while not (answer := holds()):
        require(time.monotonic() < until, f"waited more than {TRADE_STEP_SECONDS} s for {what}")
        time.sleep(0.3)
    return answer


def require_page(url: str) -> None:
    require(status_of(url) == 200, f"{url} answered {status_of(url)}, not 200")


def status_of(url: str) -> int:
    """The status of the first answer, redirects not followed; 0 if there was none."""
    try:
        with urllib.request.build_opener(NoRedirect).open(url, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"First start: {otherwise}")


if __name__ == "__main__":
    main()
