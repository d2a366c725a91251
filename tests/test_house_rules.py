"""The conventions that keep the house safe, read from its source. Each failure says why the rule is there."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands, load_command_class

from marketplace.celery import BELLS, SOMETIMES_SECONDS, app
from marketplace.errors import Refused
from tests.source import APPS, ROOT, is_in, parsed, place, sources, view_modules

# --- who writes state ----------------------------------------------------------------------------------------------

OWNERS_OF_STATE = (
    "listings/publishing.py",
    "listings/profiling.py",
    "listings/arrivals.py",
    "listings/objections.py",
    "listings/listing_reports.py",
    "compliance/verification.py",
    "compliance/demands.py",
    "compliance/demand_answers.py",
    "compliance/reviews.py",
    "settlement/trades.py",
    "settlement/hearing.py",  # chargebacks, as the bank tells of them
    "settlement/payments.py",
    "settlement/payouts.py",
    "settlement/deliveries.py",
    "settlement/extensions.py",  # standing orders to renew
    "settlement/clearing.py",
    "settlement/splits.py",
    "settlement/gateways/sandbox_bank.py",  # the state of the bank's own orders
    "marketplace/management/commands/up.py",  # the folder in which `up` keeps its state
)


def _writes_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        inner = [part for target in targets for part in ast.walk(target)]
        return any(isinstance(part, ast.Attribute) and part.attr == "state" for part in inner)
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("update", "update_or_create"):
            return any(keyword.arg == "state" for keyword in node.keywords)
        if name == "setattr":
            return len(node.args) > 1 and isinstance(node.args[1], ast.Constant) and node.args[1].value == "state"
        if name == "bulk_update":
            return any(isinstance(part, ast.Constant) and part.value == "state" for part in ast.walk(node))
    return False


def test_a_state_is_written_by_the_module_that_owns_its_machine() -> None:
    """Elsewhere a move would pass by the lock, the check and the event that belong to it."""
    strays = [
        place(path, node)
        for path in sources(*APPS)
        if not is_in(path, *OWNERS_OF_STATE)
        for node in ast.walk(parsed(path))
        if _writes_state(node)
    ]
    assert not strays, f"call the command that owns the machine instead of writing its state: {strays}"


def test_every_owner_of_a_state_still_writes_one() -> None:
    idle = [one for one in OWNERS_OF_STATE if not any(map(_writes_state, ast.walk(parsed(ROOT / one))))]
    assert not idle, f"strike these off the list: {idle}"


# --- the clock -----------------------------------------------------------------------------------------------------

MAY_ASK_THE_MACHINE = ("marketplace/clock.py", "marketplace/backups.py")  # a backup is named by when it was made


def test_one_clock_tells_the_time() -> None:
    """A row dated by another clock would lie when the demo or a test carries a year of trades."""
    strays = [
        place(path, node)
        for path in sources(*APPS)
        if not is_in(path, *MAY_ASK_THE_MACHINE)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "localdate")
        and isinstance(node.value, ast.Name)
        and node.value.id == "timezone"
    ]
    assert not strays, f"use marketplace.clock: {strays}"


# --- the outside ---------------------------------------------------------------------------------------------------

NETWORK = {
    "httpx", "requests", "urllib.request", "urllib3", "http.client", "socket", "ssl", "stripe", "smtplib", "ftplib",
    "aiohttp", "boto3", "botocore", "botocore.client", "botocore.exceptions",
}  # fmt: skip
MAY_TALK = (
    "settlement/gateways/",
    "settlement/channels/",
    "marketplace/outgoing.py",  # members' webhooks, from a worker, with no transaction open
    "marketplace/clamav.py",  # asks clamd, from a worker, with no transaction open
    "marketplace/object_store.py",  # the store of files where it is not a folder: called like a disk
    "marketplace/embedded.py",  # finds a free port and waits for its own servers
    "marketplace/management/commands/up.py",  # waits until its own web server answers
    "listings/profiler/probe.py",  # tries whether the walls hold: the call must fail
)
MAY_NAME_CELERY = (
    "marketplace/celery.py",
    "marketplace/bells.py",
    "marketplace/heartbeats.py",
    "marketplace/task_trails.py",
)
OUTWARD = {"start", "stop", "look_up", "refund", "pay_out", "movements", "open", "close", "usage"}


def _imports(path: Path) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def test_only_gateways_and_channels_talk_to_the_outside() -> None:
    """Elsewhere a call would hang a page, a transaction or a test; drivers are claimed, called and recorded."""
    strays = [
        f"{place(path, node)} imports {name}"
        for path in sources(*APPS)
        if not is_in(path, *MAY_TALK)
        for node, name in _imports(path)
        if name in NETWORK
    ]
    assert not strays, strays


def test_commands_know_nothing_of_celery() -> None:
    """The database is the to-do list; tasks call commands, edges ring bells, commands do neither."""
    strays = [
        f"{place(path, node)} imports {name}"
        for path in sources(*APPS)
        if path.name != "tasks.py" and not is_in(path, *MAY_NAME_CELERY)
        for node, name in _imports(path)
        if name.split(".")[0] in ("celery", "kombu")
    ]
    assert not strays, strays
    # the page names the bell of each button; the demo is opened before there are workers
    edges = {*view_modules(), ROOT / "settlement/trade_acts.py", ROOT / "marketplace/demo/hands.py"}
    ringing = [
        f"{place(path, node)} imports {name}"
        for path in sources(*APPS)
        if path not in edges and path.name not in ("tasks.py", "celery.py")
        for node, name in _imports(path)
        if name.endswith(".tasks")
    ]
    assert not ringing, f"only views and tasks ring bells: {ringing}"


def test_no_transaction_is_open_while_a_driver_is_called() -> None:
    """A gateway that does not answer would hold row locks for as long; and a rollback cannot undo what it did."""
    strays = [place(path, call) for path in sources(*APPS) for call in _calls_in_transactions(parsed(path))]
    assert not strays, strays
    assert list(_outward_calls(parsed(ROOT / "settlement/tasks.py"))), "the workers' calls are not recognised any more"


@pytest.mark.parametrize(
    "source",
    [
        "@transaction.atomic\ndef pay(row):\n    gateway(row.gateway).start(row)",
        "def pay(row):\n    with transaction.atomic():\n        one = channel(row.channel)\n        one.open(row)",
    ],
)
def test_a_driver_called_in_a_transaction_is_recognised(source: str) -> None:
    assert len(list(_calls_in_transactions(ast.parse(source)))) == 1


def _calls_in_transactions(module: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(module):
        is_decorated = isinstance(node, ast.FunctionDef) and any(map(_is_atomic, node.decorator_list))
        if is_decorated or (isinstance(node, ast.With) and any(_is_atomic(item.context_expr) for item in node.items)):
            yield from _outward_calls(node)


def _is_atomic(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Attribute) and node.attr == "atomic"


def _outward_calls(node: ast.AST) -> Iterator[ast.AST]:
    """Calls such as `gateway(name).start(…)`, on the driver itself or on a name it was given here."""
    drivers = {
        target.id
        for part in ast.walk(node)
        if isinstance(part, ast.Assign) and _is_driver(part.value)
        for target in part.targets
        if isinstance(target, ast.Name)
    }
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in OUTWARD:
            base = part.func.value
            if _is_driver(base) or (isinstance(base, ast.Name) and base.id in drivers):
                yield part


def _is_driver(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("gateway", "channel", "channel_for")


# --- the database's guards -----------------------------------------------------------------------------------------

NEED_NO_TRIGGERS = {
    "User": "a person may change everything of their own",
    "Follower": "a bookmark in the journal",
    "KeyedCommand": "kept thirty days; the unique index is its guard",
    "ShelfItem": "made from products and entries, and can be made anew",
    "CountedBatch": "kept a day; its key is its guard",
    "CatalogueWord": "words to know misspelt ones by",
    "SandboxOrder": "the acted-out bank's own books",
    "SandboxNotice": "the acted-out bank's own letters",
}


def test_guards_are_set_aside_in_one_place() -> None:
    """Where triggers can be ignored, the database refuses nothing."""
    asides = [
        place(path, node)
        for path in sources(*APPS, "tests", "benchmarks", ".ci")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr == "ignore" and getattr(node.value, "id", "") == "pgtrigger"
    ]
    assert [aside.partition(":")[0] for aside in asides] == ["tests/conftest.py"]
    for path in sources(*APPS):
        text = path.read_text().lower()
        assert "session_replication_role" not in text and "disable trigger" not in text, place(path)


def test_every_model_of_ours_has_triggers_or_needs_none() -> None:
    """What only Python refuses, the next script, console or developer writes."""
    guarded = {model for model, _trigger in pgtrigger.registry.registered()}
    ours = [model for label in APPS for model in apps.get_app_config(label).get_models()]
    bare = {model.__name__ for model in ours if model not in guarded}
    assert bare == set(NEED_NO_TRIGGERS)


# --- refusals, tasks and commands ----------------------------------------------------------------------------------

SHARED_CODES = {
    "not_found": "there is no such thing, or not for you: the same answer whatever it is",
    "key_needed": "the API's header and the form's hidden field are the same key",
}


@functools.cache
def every_module() -> list[Any]:
    names = [name for label in APPS for name in _modules_of(label)]
    return [importlib.import_module(name) for name in names]


def _modules_of(label: str) -> list[str]:
    package = importlib.import_module(label)
    found = [module.name for module in pkgutil.walk_packages(package.__path__, f"{label}.")]
    return [name for name in found if ".migrations" not in name]


def _below(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def test_every_kind_of_refusal_has_a_code_of_its_own_and_a_sentence() -> None:
    """Programs act upon the code: two refusals under one code cannot be told apart, and a changed one breaks them."""
    assert every_module()
    by_code = defaultdict(set)
    for kind in _below(Refused):
        if kind.__module__.startswith(APPS):
            assert "code" in vars(kind), f"{kind.__qualname__} has no code of its own"
            assert kind.__doc__, f"{kind.__qualname__} has no sentence"
            by_code[kind.code].add((kind.__qualname__, kind.status))  # type: ignore[attr-defined]
    shared = {code: kinds for code, kinds in by_code.items() if len(kinds) > 1}
    assert set(shared) == set(SHARED_CODES), shared
    assert len({status for _name, status in shared["not_found"]}) == 1
    assert all(code.islower() and code.replace("_", "").isalnum() for code in by_code)


def test_tasks_take_at_most_an_id_and_each_has_a_bell() -> None:
    """A task that is told more than an id trusts a message; one without a bell is lost when its message is."""
    app.loader.import_default_modules()
    tasks = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert set(BELLS) == set(tasks)
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} == set(tasks)
    for name, task in tasks.items():
        assert len(inspect.signature(task.run).parameters) <= 1, name
    rare = {name for name, seconds in BELLS.items() if seconds > SOMETIMES_SECONDS}
    assert rare == {
        "marketplace.tasks.forget_old_keys",
        "marketplace.tasks.forget_read_notifications",
        "marketplace.tasks.forget_old_webhooks",
        "listings.tasks.remove_abandoned_uploads",
    }, "everything that moves a trade is rung for at least every ten seconds"


def test_every_command_says_what_it_does() -> None:
    ours = {name: label for name, label in get_commands().items() if label in APPS}
    assert {"up", "verify_journal", "backup", "restore"} <= set(ours)
    for name, label in ours.items():
        assert load_command_class(label, name).help, name


# --- modules -------------------------------------------------------------------------------------------------------

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "managers", "services", "misc"}
MOST_LINES = 400
LONGER = {
    "marketplace/column_words.py": "a word for each column, in order of the alphabet",
    "settlement/trades.py": "the story of a trade, told in order in one place",
    "settlement/models/trades.py": "every row of a trade beside the rules PostgreSQL holds it to",
    "listings/models.py": "every row of a product beside the rules PostgreSQL holds it to",
    "marketplace/models.py": "every row of the ground beside the rules PostgreSQL holds it to",
}


@pytest.mark.parametrize("path", sources(*APPS, "tests", "benchmarks", ".ci"), ids=place)
def test_a_module_is_named_for_its_subject_and_read_in_one_sitting(path: Path) -> None:
    """A module called utils has no subject, and grows without end; one you scroll for is two."""
    assert not {*path.relative_to(ROOT).parts[:-1], path.stem} & FORBIDDEN_NAMES
    length = len(path.read_text().splitlines())
    if place(path) not in LONGER and not place(path).startswith("tests/"):
        assert length <= MOST_LINES, f"{length} lines: it is two modules, or say in LONGER why not"


def test_every_long_module_is_still_long() -> None:
    short = [name for name in LONGER if len((ROOT / name).read_text().splitlines()) <= MOST_LINES]
    assert not short, f"strike these off the list: {short}"


def test_every_package_module_says_its_one_job() -> None:
    mute = [place(path) for path in sources(*APPS) if path.read_text().strip() and not ast.get_docstring(parsed(path))]
    assert not mute, f"no module docstring: {mute}"


CSRF_EXEMPT = {
    "marketplace/api.py": "there is nothing at such an address",
    "settlement/api.py": "gateways sign what they send",
    "listings/saved_search_views.py": "mail programs post without a cookie; the address is signed",
    "listings/studio.py": "checked once the handler that streams the files is in place",
}


def test_forms_are_exempt_from_csrf_checks_only_where_something_else_checks() -> None:
    exempt = {
        place(path)
        for path in sources(*APPS)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef)
        and any("csrf_exempt" in ast.unparse(decorator) for decorator in node.decorator_list)
    }
    assert exempt == set(CSRF_EXEMPT)


def test_requests_are_not_wrapped_in_one_transaction() -> None:
    """A whole request in a transaction would hold its locks while the answer is written."""
    assert settings.DATABASES["default"]["ATOMIC_REQUESTS"] is False
