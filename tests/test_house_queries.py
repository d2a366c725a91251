"""No view asks for everybody's rows: members' through what their organisation may see, the staff's behind a check.

Read from the source, so that a view nobody wrote a test for is judged too.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import pytest

from tests.source import APPS, ROOT, parsed, place, sources, view_modules
from tests.tenancy.walk import routes

# Rows that belong to somebody. Others (users by themselves, catalogue facts, the sandbox's orders) are open or named.
TENANTS = {
    "Organisation", "Membership", "Invitation", "AccessToken", "Paper", "Revocation", "Event", "KeyedCommand",
    "Listing", "Version", "Release", "ReleaseFile", "Upload", "Profile", "Offer", "OfferBuyer", "Registration",
    "Question", "Answer", "ListingReport", "DailyCount", "LicenseeNotice",
    "PublishedSample", "SavedSearch", "FoundProduct",
    "Demand", "DemandMatch", "DemandResponse", "DemandMessage",
    "Notification", "NotificationSwitch", "WebhookEndpoint", "WebhookMessage", "WebhookDelivery",
    "DossierSection", "FactChange", "Declaration", "Proof", "ProofPicture", "Note", "TierDecision",
    "Verification", "Decision", "Review", "ReviewDecision", "ReviewNote", "ReviewQuestion", "Hold", "RulesAcceptance",
    "Trade", "Agreement", "Payment", "Notice", "Refund", "TaxStatus", "TradeTax", "Invoice",
    "ElectronicInvoice", "Unmatched", "Chargeback", "Dispute", "Grant", "Receipt",
    "Account", "Transfer", "ClearingCycle", "Statement", "Payout", "PayoutAccount", "RefundMending",
}  # fmt: skip
NARROW = {"visible_to", "sold_by", "bought_by", "of", "none", "open_to_all", "listed"}
# A filter by one of these leaves only what belongs to an object that was narrowed before.
OWNED_BY = {
    "organisation", "organisation__in", "seller", "buyer", "listing", "version", "trade", "verification", "subject_id",
    "endpoint__organisation",
    "listing__seller", "release__listing__seller", "grant__trade", "review__version__listing__seller",
}  # fmt: skip
STAFF_CHECKS = {"require_staff", "require_desk", "sees_desk"}
# Read by everybody on purpose, or by whoever holds a key to it.
READ_BY_ALL = {
    ("marketplace/desks/home.py", "_figures"): "counts, for anybody",
    ("marketplace/desks/staff_home.py", "*"): "behind is_staff; counts of what waits at each desk",
    ("marketplace/desks/staff_search.py", "*"): "behind is_staff; each kind is found by whose desks open it",
    ("settlement/channels/files/download.py", "*"): "the signed link names the grant, and roles are asked of it",
    ("settlement/gateways/sandbox_pages.py", "_paid_for"): "by the order's key, and only for somebody of its buyer",
    ("listings/api.py", "_buyers"): "a seller names buyers by their public id",
    (
        "settlement/merchant_page.py",
        "merchant",
    ): "for anybody: that it is a member, and its register",
}


def _is_behind_a_staff_check(function: ast.AST) -> bool:
    names = {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in ast.walk(function)}
    if names & STAFF_CHECKS:
        return True
    decorators = getattr(function, "decorator_list", [])
    return any(isinstance(one, ast.Call) and getattr(one.func, "id", "") == "desk" for one in decorators)


def _wide_queries(function: ast.AST) -> Iterator[ast.AST]:
    """Questions about rows that belong to somebody, asked of everybody's."""
    calls_on = {
        node.func.value: node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and node.attr == "objects" and getattr(node.value, "id", "") in TENANTS:
            if not any(map(_narrows, _chain(calls_on, node))):
                yield node
        elif _is_shortcut_upon_all(node):
            yield node


def _is_shortcut_upon_all(node: ast.AST) -> bool:
    """Whether this is `get_object_or_404(Model, …)` without an owner."""
    if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in ("get_object_or_404", "get_list_or_404"):
        return False
    return getattr(node.args[0], "id", "") in TENANTS and not _names_owner(node)


def _chain(calls_on: dict[ast.expr, ast.Call], manager: ast.expr) -> Iterator[ast.Call]:
    """The calls upon `Model.objects`, one after the other."""
    below: ast.expr | None = manager
    while (call := calls_on.get(below)) is not None:  # type: ignore[arg-type]
        yield call
        below = call


def _narrows(call: ast.Call) -> bool:
    """Whether this call leaves only what one organisation may see, or one row that was found before."""
    name = call.func.attr  # type: ignore[attr-defined]
    is_found_before = name == "get" and any(
        keyword.arg == "pk" and isinstance(keyword.value, ast.Attribute) and keyword.value.attr == "pk"
        for keyword in call.keywords
    )
    return name in NARROW or is_found_before or (name in ("filter", "get") and _names_owner(call))


def _names_owner(call: ast.Call) -> bool:
    return bool({keyword.arg for keyword in call.keywords} & OWNED_BY)


@pytest.mark.parametrize(
    ("query", "is_wide"),
    [
        ("Trade.objects.all()", True),
        ("Trade.objects.get(pk=trade_id)", True),
        ("Trade.objects.select_related('offer').filter(state='listed')", True),
        ("get_object_or_404(Trade, public_id=trade_id)", True),
        ("get_object_or_404(Trade.objects.select_related('offer'), pk=1)", True),
        ("Trade.objects.visible_to(organisation).filter(state='listed')", False),
        ("Statement.objects.select_related('cycle').filter(organisation=organisation)", False),
        ("Trade.objects.get(pk=trade.pk)", False),
        ("get_object_or_404(Dispute, trade=trade)", False),
        ("get_object_or_404(Trade.objects.bought_by(organisation), public_id=trade_id)", False),
    ],
)
def test_a_wide_query_is_told_from_a_narrow_one(query: str, is_wide: bool) -> None:
    assert bool(list(_wide_queries(ast.parse(query)))) == is_wide


def test_views_ask_for_what_their_organisation_may_see() -> None:
    """A query over all rows in a member's view is how one member reads another's; the staff's are behind a check."""
    strays = []
    for path in view_modules():
        name = str(path.relative_to(ROOT))
        if name.endswith("_desk.py") or name.endswith("staff_api.py") or (name, "*") in READ_BY_ALL:
            continue
        for outer in parsed(path).body:
            if not isinstance(outer, ast.FunctionDef | ast.ClassDef) or _is_behind_a_staff_check(outer):
                continue
            if (name, outer.name) not in READ_BY_ALL:
                strays += [place(path, node) for node in _wide_queries(outer)]
    assert not strays, f"narrow by visible_to, sold_by, bought_by, of or an owner, or ask for a staff role: {strays}"


def test_views_of_the_staff_are_behind_a_check() -> None:
    """In the staff's modules everything is read; so every view there first asks who it is."""
    strays = []
    for route in routes():
        module = route.view.__module__
        if module.endswith("_desk") and not hasattr(route.view, "__wrapped__"):
            strays.append(route.path)
        if route.api_class and route.api_class.__module__.endswith("staff_api"):
            inherited = [inspect.getsource(one) for one in route.api_class.__mro__ if one.__module__.startswith(APPS)]
            if not any(f"{check}(" in source for check in STAFF_CHECKS for source in inherited):
                strays.append(route.path)
    assert not strays, f"no require_staff, require_desk or @desk before: {strays}"


def test_what_goes_out_is_named_field_by_field() -> None:
    """A serializer that shows all fields shows tomorrow's secret too."""
    open_ended = [
        place(path, node)
        for path in sources(*APPS)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Assign)
        and getattr(node.targets[0], "id", "") == "fields"
        and isinstance(node.value, ast.Constant)
        and node.value.value == "__all__"
    ]
    assert not open_ended
