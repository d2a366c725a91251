"""The table of the demand board: its pages, its API and its desk."""

from __future__ import annotations

from tests.tenancy.rules import BOTH, Answer, Anyone, Member, Own, Row, Staff
from tests.tenancy.world import answer_of, demand_of

API, PAGE, DESK = "/api/v1/demands", "/demands/", "/admin/desks/demands/"
ONE = "/<slug:public_id>"
ANSWER = "/answers/<int:answer_id>"
POSTERS, SELLERS = ("buyer",), ("seller",)
NOT_CLEARED = {"former": Answer(403, "not_cleared")}
SEES_NOTHING = {"nobody": Answer(404), "staff:*": Answer(404)}
# The seller's stewards keep products; they answer no demands.
MAY_NOT_WRITE = {"seller:data_steward": Answer(403, "role_needed")}


def _public(world):
    return {"public_id": world.demand.public_id}


def _private(world):
    return {"public_id": world.private_demand.public_id}


def _answer(world):
    return {**_public(world), "answer_id": world.answer.pk}


def _act(act, at=_public):
    return lambda world: {**at(world), "act": act}


def _says(**fields):
    return lambda world: fields


def _product(world):
    return {"product": world.listed.public_id}


def _form(title):
    told = {name: value for name, value in demand_of(title).items() if value is not None and "minor" not in name}
    return told | {"budget_from": "1,000", "budget_until": "5,000", "is_public": "yes", "is_named": "on"}


PAGES = [
    Row("GET", PAGE, Anyone()),
    Row("GET", PAGE, Own("look"), asks=lambda w: {"show": "matched"}, but={"nobody": 200, "staff:*": 200}),
    Row("GET", PAGE + "new/", Own("look", side="buyer")),
    Row(
        "POST",
        PAGE + "new/",
        Own("post_demand", side="buyer"),
        gives=302,
        says=lambda w: _form("Tugs of the night"),
        but=NOT_CLEARED,
    ),
    Row("GET", "/demands" + ONE + "/", Anyone(), at=_public),
    Row("GET", "/demands" + ONE + "/", Member("look", BOTH), at=_private, but=SEES_NOTHING),
    Row(
        "POST",
        "/demands" + ONE + "/answers/",
        Own("answer_demand"),
        gives=302,
        at=_public,
        says=_says(product="", text="We count them.", price="20", currency="HKD", ready_on=""),
        but=NOT_CLEARED,
    ),
    Row(
        "POST",
        "/demands" + ONE + ANSWER + "/<slug:act>/",
        Member("post_demand", BOTH),
        gives=302,
        at=_act("message", _answer),
        says=_says(text="Since 2019."),
        but=MAY_NOT_WRITE,
    ),
    Row(
        "POST",
        "/demands" + ONE + ANSWER + "/<slug:act>/",
        Member("post_demand", POSTERS),
        gives=302,
        at=_act("refusal", _answer),
        says=_says(reason="Too dear."),
    ),
    Row(
        "POST",
        "/demands" + ONE + ANSWER + "/<slug:act>/",
        Member("answer_demand", SELLERS),
        gives=302,
        at=_act("withdrawal", _answer),
        says=_says(),
    ),
    Row(
        "POST",
        "/demands" + ONE + "/<slug:act>/",
        Member("post_demand", POSTERS),
        gives=302,
        at=_act("fulfilment"),
        says=_product,
    ),
    Row(
        "POST",
        "/demands" + ONE + "/<slug:act>/",
        Member("post_demand", POSTERS),
        gives=302,
        at=_act("closing"),
        says=_says(),
    ),
]
PROGRAMS = [
    Row("GET", API, Anyone()),
    Row(
        "POST",
        API,
        Own("post_demand", side="buyer"),
        gives=201,
        says=lambda w: demand_of("Pilots of the night"),
        but=NOT_CLEARED,
    ),
    Row("GET", API + ONE, Anyone(), at=_public),
    Row("GET", API + ONE, Member("look", BOTH), at=_private, but=SEES_NOTHING),
    Row("POST", API + ONE + "/fulfilment", Member("post_demand", POSTERS), at=_public, says=_product),
    Row("POST", API + ONE + "/closing", Member("post_demand", POSTERS), at=_public, says=_says()),
    Row("GET", API + ONE + "/answers", Own("look", side="buyer"), at=_public),
    Row(
        "POST",
        API + ONE + "/answers",
        Own("answer_demand"),
        gives=201,
        at=_public,
        says=lambda w: answer_of("We count them."),
        but=NOT_CLEARED,
    ),
    Row(
        "POST",
        API + ONE + ANSWER + "/messages",
        Member("post_demand", BOTH),
        gives=201,
        at=_answer,
        says=_says(text="Since 2019."),
        but=MAY_NOT_WRITE,
    ),
    Row(
        "POST",
        API + ONE + ANSWER + "/refusal",
        Member("post_demand", POSTERS),
        at=_answer,
        says=_says(reason="Too dear."),
    ),
    Row("POST", API + ONE + ANSWER + "/withdrawal", Member("answer_demand", SELLERS), at=_answer, says=_says()),
    Row("GET", "/api/v1/all-demands", Staff("demands")),
    Row("GET", API + ONE + "/matches", Staff("demands"), at=_private),
    Row(
        "POST",
        API + ONE + "/matches",
        Staff(acts=("match_demand",)),
        gives=201,
        at=_public,
        says=lambda w: {"seller": w.seller.public_id, "product": w.listed.public_id, "note": "Yours?"},
    ),
    Row("POST", API + ONE + "/hiding", Staff(acts=("hide_demand",)), at=_public, says=_says(reason="An advert.")),
]
DESKS = [
    Row("GET", DESK, Staff("demands")),
    Row("GET", "/admin/desks/demands" + ONE + "/", Staff("demands"), at=_private),
    Row(
        "POST",
        "/admin/desks/demands" + ONE + "/act/",
        Staff("demands", ("match_demand",)),
        gives=302,
        at=_public,
        says=lambda w: {"act": "match", "seller": w.seller.public_id, "product": "", "note": "Yours?"},
    ),
    Row(
        "POST",
        "/admin/desks/demands" + ONE + "/act/",
        Staff("demands", ("hide_demand",)),
        gives=302,
        at=_public,
        says=_says(act="hide", reason="An advert."),
    ),
]
ROWS = [*PAGES, *PROGRAMS, *DESKS]
