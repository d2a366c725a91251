"""Start the whole exchange on this machine and keep it running until Ctrl-C."""

import argparse
import contextlib
import json
import os
import socket
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, get_commands
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from marketplace.clone_lock import CloneLock, Held
from marketplace.embedded import ADDRESSES, CannotHouse, CannotServe, Postgres, Redis, quarters_in, spawn
from marketplace.quarters import Quarters
from marketplace.supervisor import Child, Stopping, Supervisor, program

REMNANTS_SECONDS = 60.0  # how long servers of a killed start may take to end


class Command(BaseCommand):
    """`python3 manage.py up`: servers, migrations, web, the first time the demo exchange, worker and beat."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="where the web server listens (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="its port (8000); 0 takes a free one")
        parser.add_argument("--workers", type=int, default=2, help="how many tasks run at once (2)")
        content = parser.add_mutually_exclusive_group()
        content.add_argument("--demo", action="store_true", help="open the demo exchange in any database")
        content.add_argument("--empty", action="store_true", help="open an exchange without demo content")
        parser.add_argument("--admin-email", help="with --empty: the first administrator; password in ADMIN_PASSWORD")

    def handle(self, **options: object) -> None:
        self.began = time.monotonic()
        self.options = argparse.Namespace(**options)
        self.state = Path(settings.STATE_DIR).absolute()
        lock = CloneLock(self.state / "up.lock")
        try:
            lock.take_within(REMNANTS_SECONDS, lambda: self._say("waiting for what a killed start left to end"))
        except Held as held:
            raise CommandError(self._already_running(held.pid)) from None
        try:
            with Supervisor(self.state / "log", lock, self._say) as supervisor:
                try:
                    self._start_everything(supervisor, lock)
                    supervisor.watch()
                except Stopping:
                    self._say("stopping")
        except (CannotServe, CannotHouse) as reason:
            raise CommandError(str(reason)) from None
        except OperationalError as reason:
            raise CommandError(f"The database does not answer: {reason}") from None
        except OSError as reason:
            raise CommandError(f"The machine refuses: {reason}") from None
        finally:
            (self.state / ADDRESSES).unlink(missing_ok=True)
            quarters_in(self.state).leave()
            lock.release()
        self._say("stopped")

    # --- in order ----------------------------------------------------------------------------------------------------
    def _start_everything(self, supervisor: Supervisor, lock: CloneLock) -> None:
        port = self._free_port()
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.options.host, self.options.host)  # noqa: S104
        local_url = f"http://{f'[{shown}]' if ':' in shown.strip('[]') and '[' not in shown else shown}:{port}"
        base_url = os.environ.setdefault("BASE_URL", local_url)
        if settings.DEBUG and self.options.host not in ("127.0.0.1", "localhost", "::1", "[::1]"):
            self._say(
                f"whoever reaches {self.options.host}:{port} can read every letter, and so take over any account: this "
                "is development (DEBUG is on)"
            )
        quarters = self._start_servers(supervisor, lock)
        self._write_addresses(base_url)
        self._migrate(supervisor)
        has_demo = self._choose_content(quarters)
        if self.options.empty or (quarters and not has_demo):
            self._ask_for_administrator(supervisor)
        await_web = self._start_web(supervisor, lock, port, local_url)
        if has_demo and "demo" in get_commands():
            self._say("the demo exchange opens now")
            if self._manage(supervisor, "demo", "--open", meanwhile=await_web):
                raise CannotServe(
                    "The demo exchange is not open to its end, so no worker was started: it would carry on the past as "
                    "if it were today. The reason is above; start again, and the opening goes on where it stopped."
                )
        else:
            await_web()
        self._start_workers(supervisor, lock)
        self._say(f"ready: {base_url}   (Ctrl-C stops it; logs in {self.state / 'log'})")

    def _start_servers(self, supervisor: Supervisor, lock: CloneLock) -> Quarters | None:
        """Start the embedded servers, where nobody chose others; give their quarters if the database is one."""
        quarters = quarters_in(self.state)
        servers: list[Postgres | Redis] = []
        if os.environ["DATABASE_URL"] == quarters.database_url:
            servers.append(Postgres(quarters, lock, durable=True))
        if os.environ["REDIS_URL"] == quarters.redis_url:
            servers.append(Redis(quarters, lock, durable=True))
        if servers:
            quarters.furnish()
        for server in servers:
            server.prepare()
            child = Child(
                server.name, server.start, server.is_ready, server.stop_signal, server.stop_seconds, server.stop_seconds
            )
            supervisor.add(child)
            supervisor.wait_until_ready(child)
            self._say(f"{server.name} answers")
        return quarters if any(isinstance(server, Postgres) for server in servers) else None

    def _migrate(self, supervisor: Supervisor) -> None:
        executor = MigrationExecutor(connection)
        is_behind = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        connection.close()
        if is_behind:
            self._say("migrating the database")
            if self._manage(supervisor, "migrate", "--verbosity", "0"):
                raise CannotServe("The migrations failed; what they said is above.")

    def _choose_content(self, quarters: Quarters | None) -> bool:
        """Whether the demo belongs in this database. An embedded one remembers how it was first opened."""
        if quarters is None:
            return self.options.demo
        opened = quarters.home / "opened-with"
        before = opened.read_text().strip() if opened.exists() else ""
        if self.options.empty and before == "demo":
            raise CannotServe(
                f"The demo exchange is already open in this database. For an empty one delete {quarters.home} "
                "(and everything in it), or set STATE_DIR to another folder."
            )
        has_demo = self.options.demo or (before or ("empty" if self.options.empty else "demo")) == "demo"
        opened.write_text("demo\n" if has_demo else "empty\n")
        return has_demo

    def _ask_for_administrator(self, supervisor: Supervisor) -> None:
        arguments = ["--email", self.options.admin_email] if self.options.admin_email else []
        if self._manage(supervisor, "create_administrator", "--first", *arguments, is_asking=True):
            raise CannotServe("Without an administrator nobody could let members in; what is missing is said above.")

    def _start_web(self, supervisor: Supervisor, lock: CloneLock, port: int, local_url: str) -> Callable[[], None]:
        """Start the web server, and give what waits until it answers."""
        web = self._add(
            supervisor, lock, "web", "granian", "--interface", "wsgi", "--host", self.options.host.strip("[]"),
            "--port", str(port), "--workers", "1", "--blocking-threads", "32", "--no-ws",
            "marketplace.wsgi:application",
        )  # fmt: skip
        host = urllib.parse.urlsplit(os.environ["BASE_URL"]).netloc
        web.is_ready = lambda _process: _answers(f"{local_url}/healthz", host)

        def await_web() -> None:
            supervisor.wait_until_ready(web)
            self._say(f"open at {os.environ['BASE_URL']}")

        return await_web

    def _start_workers(self, supervisor: Supervisor, lock: CloneLock) -> None:
        """After the demo was opened, which does at another time what they would do at once."""
        self._add(
            supervisor, lock, "worker", "celery", "-A", "marketplace", "worker", "--pool", "prefork", "--concurrency",
            str(self.options.workers), "--loglevel", "INFO", "--without-mingle", "--without-gossip",
        )  # fmt: skip
        self._add(
            supervisor, lock, "beat", "celery", "-A", "marketplace", "beat", "--loglevel", "INFO", "--pidfile=",
            "--schedule", str(self.state / "beat-schedule"),
        )  # fmt: skip
        self._say("web, worker and beat run")

    def _add(self, supervisor: Supervisor, lock: CloneLock, name: str, *command: str) -> Child:
        child = Child(name, program([sys.executable, "-u", "-m", *command], lock))
        supervisor.add(child)
        return child

    # --- parts -------------------------------------------------------------------------------------------------------
    def _manage(
        self,
        supervisor: Supervisor,
        *arguments: str,
        is_asking: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> int:
        """Run another command of ours on this terminal and give its exit code; only one that asks may read from it."""
        process = spawn([sys.executable, "manage.py", *arguments], log=None, lock=supervisor.lock, is_asking=is_asking)
        return supervisor.run(process, meanwhile=meanwhile)

    def _free_port(self) -> int:
        host, port = self.options.host.strip("[]"), self.options.port
        try:
            family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
                trial.listen()  # without this a second listener that shares the port would pass for ours
                return trial.getsockname()[1]
        except OSError as reason:
            raise CannotServe(
                f"Cannot listen on {host}:{port} ({reason.strerror}); choose another with --port."
            ) from None

    def _write_addresses(self, base_url: str) -> None:
        addresses = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")} | {"BASE_URL": base_url}
        unfinished = self.state / f"{ADDRESSES}.new"
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(addresses, indent=1))
        unfinished.replace(self.state / ADDRESSES)

    def _already_running(self, pid: int) -> str:
        with contextlib.suppress(OSError, ValueError, KeyError):
            url = json.loads((self.state / ADDRESSES).read_text())["BASE_URL"]
            return f"It is already running at {url} (process {pid}); stop that one first."
        return f"It is already running (process {pid}); stop that one first."

    def _say(self, sentence: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone; the servers still want to be stopped well
            self.stderr.write(f"[{time.monotonic() - self.began:5.1f} s] {sentence}", self.style.NOTICE)


def _answers(url: str, host: str) -> bool:
    """Whether the web server is well. `host` is a name it answers to: with DEBUG off it knows no other."""
    request = urllib.request.Request(url, headers={"Host": host})  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return answer.status == 200
    except OSError:
        return False
