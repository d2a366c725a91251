"""The table of saved searches: a person's own, whatever they act for."""

from __future__ import annotations

from listings import saved_searches
from tests.tenancy.rules import Answer, Anyone, Given, Row, SignedIn

API, PAGE = "/api/v1/searches", "/searches/"
ONE = "/<int:search_id>"
SIGN_IN = {False: Answer(401, "not_authenticated"), True: Answer(302)}
BUYER = {is_page: Given({"nobody": SIGN_IN[is_page], "buyer:owner": None, "*": 404}) for is_page in (False, True)}


def _search(world):
    return {"search_id": world.search.pk}


def _act(act):
    return lambda world: {**_search(world), "act": act}


def _says(**fields):
    return lambda world: fields


STOP = "/searches/stop/<str:token>/"


def _token(world):
    return {"token": saved_searches.stop_path(world.search).split("/")[-2]}


ROWS = [
    Row("GET", STOP, Anyone(), at=_token),
    Row("POST", STOP, Anyone(), at=_token, records=False, says=_says(**{"List-Unsubscribe": "One-Click"})),
    Row("GET", PAGE, SignedIn()),
    Row("GET", PAGE + "new/", SignedIn(), asks=_says(q="ferries")),
    Row(
        "POST",
        PAGE + "new/",
        SignedIn(),
        gives=302,
        records=False,
        says=_says(name="A", frequency="daily", query="q=a"),
    ),
    *(
        Row("POST", "/searches" + ONE + "/<slug:act>/", BUYER[True], gives=302, records=False, at=_act(act), says=says)
        for act, says in (
            ("show", _says()),
            ("change", _says(name="B", frequency="never")),
            ("delete", _says()),
        )
    ),
    Row("GET", API, SignedIn()),
    Row(
        "POST",
        API,
        SignedIn(),
        gives=201,
        records=False,
        says=_says(name="A", query="q=ferries", frequency="daily"),
    ),
    Row("GET", API + ONE, BUYER[False], at=_search),
    Row("PATCH", API + ONE, BUYER[False], at=_search, records=False, says=_says(name="B", frequency="weekly")),
    Row("DELETE", API + ONE, BUYER[False], gives=204, at=_search, records=False),
    Row("POST", API + ONE + "/seen", BUYER[False], at=_search, records=False, says=_says()),
]
