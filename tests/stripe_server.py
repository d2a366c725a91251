"""Stripe as a server on this machine: what its API answers, keeps and tells, for the real adapter and the real SDK.

It refuses parameters it does not know, another version of the API, a wrong key and amounts Stripe does not take; it
keeps answers under their idempotency keys, failures too, and refuses a key used for something else; it remembers
pages, payments, refunds, transfers, contests, accounts, its balance and its own books, and tells of each by signed
events. Its limits: it is written from Stripe's documentation and knows only what the adapter asks for; payers, banks
and time act when a test says so; nothing is converted into another currency; fees are 3.4 % and no more; there are no
limits of rate; and its words are not Stripe's, only its codes are.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import stripe

from marketplace import clock
from settlement.gateways.stripe_facts import EVENTS
from settlement.gateways.stripe_line import API_VERSION

KEY = "sk_test_of_the_tests"
SECRET = "whsec_of_the_tests"
LEAST = {"usd": 50, "eur": 50, "hkd": 400, "sgd": 50, "jpy": 50, "kwd": 155}
CARDS = {"tok_bypassPending": "good", "tok_refundFail": "refund_fails", "tok_createDispute": "good"}  # of test mode
HOME = {"id": "acct_home0001", "object": "account", "country": "HK", "default_currency": "hkd"}
WITH_THREE_DECIMALS = {"kwd", "bhd", "jod", "omr", "tnd"}
ON_A_PAGE = 3  # fewer than the adapter asks for, so that lists have several pages
Values = dict[str, Any]

_METADATA = r"metadata\[\w+\]"
_INTENTS_METADATA = r"payment_intent_data\[metadata\]\[\w+\]"
_LISTED = {"limit", "starting_after"}
_CREATED = {"created[gte]", "created[lt]"}
_SESSION = {
    "mode", "client_reference_id", "line_items[0][quantity]", "line_items[0][price_data][currency]",
    "line_items[0][price_data][unit_amount]", "line_items[0][price_data][product_data][name]", _METADATA,
    _INTENTS_METADATA, "payment_intent_data[transfer_group]", "success_url", "cancel_url",
}  # fmt: skip
_ACCOUNT = {
    "country", "controller[fees][payer]", "controller[losses][payments]", "controller[stripe_dashboard][type]",
    "capabilities[transfers][requested]", "tos_acceptance[service_agreement]", _METADATA,
}  # fmt: skip


class Refusal(Exception):
    def __init__(self, code: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": code.replace("_", " ")}}


class StripeServer:
    """One account at Stripe, a platform, with an empty past."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.sessions: dict[str, Values] = {}
        self.charges: dict[str, Values] = {}  # by payment intent
        self.refunds: dict[str, Values] = {}
        self.cards: dict[str, Values] = {}
        self.transfers: dict[str, Values] = {}
        self.disputes: dict[str, Values] = {}
        self.reversals: dict[str, Values] = {}
        self.books: list[Values] = []
        self.events: list[Values] = []
        self.available: dict[str, int] = {}
        self.shown: dict[str, int] = {}  # an older balance that somebody was told
        self.accounts: dict[str, Values] = {}
        self.answers: dict[str, tuple[Any, int, Values]] = {}
        self.asked: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        self.is_cut = self.is_down = False
        self.told = 0

    # --- the wire --------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                """Silence."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        where = urlsplit(call.path)
        sent = call.rfile.read(int(call.headers.get("Content-Length") or 0)).decode()
        params = dict(parse_qsl(where.query if call.command == "GET" else sent, keep_blank_values=True))
        headers = {name.lower(): value for name, value in call.headers.items()}
        self.asked.append((call.command, where.path, params, headers))
        if self.is_down:
            return self._say(call, 503, {"error": {"type": "api_error", "message": "down"}})
        replayed = False
        try:
            status, body, replayed = self._answered(call.command, where.path, params, headers)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        if self.is_cut and call.command == "POST":
            self.is_cut = False
            call.close_connection = True
            return None  # it was done, and nobody hears of it
        return self._say(call, status, body, replayed=replayed)

    def _say(self, call: BaseHTTPRequestHandler, status: int, body: Values, *, replayed: bool = False) -> None:
        said = json.dumps(body).encode()
        call.send_response(status)
        call.send_header("Content-Type", "application/json")
        call.send_header("Content-Length", str(len(said)))
        call.send_header("Request-Id", f"req_{next(self.numbers)}")
        if replayed:
            call.send_header("Idempotent-Replayed", "true")
        call.end_headers()
        call.wfile.write(said)

    def _answered(
        self, method: str, path: str, params: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, Values, bool]:
        if headers.get("authorization") != f"Bearer {KEY}":
            raise Refusal("api_key_expired", status=401)
        if headers.get("stripe-version") != API_VERSION:
            raise Refusal("wrong_version")
        routes = [(re.fullmatch(shape, path), *rest) for way, shape, *rest in self._routes() if way == method]
        found, allowed, act = next((route for route in routes if route[0]), (None, set(), None))
        if found is None:
            raise Refusal("unknown_path", status=404)
        if strange := [one for one in params if not any(_fits(one, known) for known in allowed)]:
            raise Refusal(f"parameter_unknown {strange}")
        key = headers.get("idempotency-key", "")
        if method == "GET":
            body = act(params, *found.groups())
            return 200, body | {"url": path} if body["object"] == "list" else body, False
        if key in self.answers:
            asked, status, body = self.answers[key]
            if asked != (path, params):
                raise Refusal("idempotency_error", kind="idempotency_error")
            return status, body, True
        try:
            status, body = 200, act(params, *found.groups())
        except Refusal as refusal:
            if "balance" not in str(refusal):  # what fails before it begins is not kept
                raise
            status, body = refusal.status, refusal.body
        if key:
            self.answers[key] = ((path, params), status, json.loads(json.dumps(body)))
        return status, body, False

    def _routes(self) -> list[tuple[str, str, set[str], Callable[..., Values]]]:
        return [
            ("POST", "/v1/checkout/sessions", _SESSION, self._open),
            ("GET", "/v1/checkout/sessions", _LISTED | {"created[gte]"}, self._list(self.sessions)),
            ("GET", r"/v1/checkout/sessions/(\w+)", set(), lambda _params, one: self._one(self.sessions, one)),
            ("POST", r"/v1/checkout/sessions/(\w+)/expire", set(), self._expire),
            ("POST", "/v1/refunds", {"payment_intent", "amount", _METADATA}, self._refund),
            ("GET", "/v1/refunds", _LISTED | {"payment_intent"}, self._list(self.refunds)),
            (
                "POST",
                "/v1/transfers",
                {"amount", "currency", "destination", "transfer_group", _METADATA},
                self._transfer,
            ),
            ("GET", "/v1/transfers", _LISTED | {"transfer_group"}, self._list(self.transfers)),
            ("GET", r"/v1/transfers/(\w+)", set(), lambda _params, one: self._one(self.transfers, one)),
            ("GET", "/v1/disputes", _LISTED | {"payment_intent"}, self._list(self.disputes)),
            ("GET", r"/v1/disputes/(\w+)", set(), lambda _params, one: self._one(self.disputes, one)),
            ("POST", r"/v1/disputes/(\w+)", {"evidence[uncategorized_text]", "submit"}, self._judge),
            ("GET", r"/v1/payment_pages/(\w+)", set(), lambda _params, one: self._one(self.sessions, one)),
            ("POST", "/v1/payment_methods", {"type", "card[token]", "billing_details[email]"}, self._card),
            ("POST", r"/v1/payment_pages/(\w+)/confirm", {"payment_method", "expected_amount"}, self._confirm),
            ("POST", "/v1/charges", {"amount", "currency", "source"}, self._charge_at_once),
            ("GET", "/v1/accounts", _LISTED, self._list(self.accounts)),
            ("POST", "/v1/accounts", _ACCOUNT, self._open_account),
            ("GET", "/v1/account", set(), lambda _params: HOME),
            ("GET", r"/v1/accounts/(\w+)", set(), lambda _params, one: self._one(self.accounts, one)),
            ("POST", "/v1/account_links", {"account", "type", "refresh_url", "return_url"}, self._link),
            ("GET", "/v1/balance", set(), self._balance),
            ("GET", "/v1/balance_transactions", _LISTED | _CREATED | {"expand[0]"}, self._books),
            ("GET", "/v1/events", _LISTED | _CREATED | {"type", r"types\[\d+\]"}, self._told),
        ]

    def _one(self, rows: dict[str, Values], reference: str) -> Values:
        if reference not in rows:
            raise Refusal("resource_missing", status=404)
        return rows[reference]

    def _list(self, rows: dict[str, Values]) -> Callable[[dict[str, str]], Values]:
        return lambda params: _page(list(rows.values()), params)

    def _balance(self, _params: dict[str, str]) -> Values:
        shown = self.available | self.shown
        available = [{"currency": currency, "amount": amount} for currency, amount in shown.items()]
        return {"object": "balance", "livemode": False, "available": available, "pending": []}

    def _books(self, params: dict[str, str]) -> Values:
        rows = [line | {"source": dict(line["source"])} for line in self.books]
        if params.get("expand[0]") != "data.source":
            rows = [line | {"source": line["source"]["id"]} for line in rows]
        return _page(rows, params)

    def _told(self, params: dict[str, str]) -> Values:
        wanted = {value for name, value in params.items() if name.startswith("types[")}
        return _page([one for one in self.events if not wanted or one["type"] in wanted], params)

    # --- what is asked of it ---------------------------------------------------------------------------------------

    def _open(self, params: dict[str, str]) -> Values:
        price = "line_items[0][price_data]"
        amount, currency = int(params[f"{price}[unit_amount]"]), params[f"{price}[currency]"]
        _require_amount(amount, currency)
        if currency not in LEAST or amount < LEAST[currency]:
            raise Refusal("amount_too_small" if currency in LEAST else "currency_not_supported")
        if params["mode"] != "payment" or not params["success_url"].startswith("http"):
            raise Refusal("parameter_invalid")
        session = self._new("cs_test", "checkout.session", self.sessions)
        return self._kept(
            session,
            amount_total=amount * int(params["line_items[0][quantity]"]),
            currency=currency,
            client_reference_id=params["client_reference_id"],
            metadata=_metadata(params),
            intent_metadata=_metadata(params, "payment_intent_data[metadata]"),
            expires_at=session["created"] + 86_400,
            payment_intent=None,
            payment_status="unpaid",
            status="open",
            url=f"https://checkout.stripe.com/c/pay/{session['id']}#{'x' * 500}",
        )

    def _expire(self, _params: dict[str, str], reference: str) -> Values:
        session = self._one(self.sessions, reference)
        if session["status"] != "open":
            raise Refusal("checkout_session_not_open")
        session |= {"status": "expired", "url": None}
        self._tell("checkout.session.expired", session)
        return session

    def _refund(self, params: dict[str, str]) -> Values:
        charge = self.charges.get(params["payment_intent"])
        if charge is None:
            raise Refusal("resource_missing", status=404)
        amount, currency = int(params["amount"]), charge["currency"]
        if charge["disputed"]:
            raise Refusal("charge_disputed")
        if amount > charge["amount"] - charge["amount_refunded"]:
            raise Refusal("charge_already_refunded")
        charge["amount_refunded"] += amount
        refund = self._new("re", "refund", self.refunds)
        self._kept(
            refund,
            amount=amount,
            currency=currency,
            payment_intent=params["payment_intent"],
            metadata=_metadata(params),
            status="succeeded",
        )
        self._book("refund", -amount, currency, refund)
        self._tell("refund.created", refund)
        self._tell("charge.refunded", charge)
        if charge["card"] == "refund_fails":
            refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
            charge["amount_refunded"] -= amount
            self._book("refund_failure", amount, currency, refund)
            self._tell("refund.updated", refund)
            self._tell("refund.failed", refund)
        return refund

    def _transfer(self, params: dict[str, str]) -> Values:
        amount, currency = int(params["amount"]), params["currency"]
        _require_amount(amount, currency)
        account = self.accounts.get(params["destination"])
        if account is None:
            raise Refusal("resource_missing")
        if account["capabilities"].get("transfers") != "active":
            raise Refusal("insufficient_capabilities_for_transfer")
        if self.available.get(currency, 0) < amount:
            raise Refusal("balance_insufficient")
        self.available[currency] -= amount
        transfer = self._new("tr", "transfer", self.transfers)
        self._kept(
            transfer,
            amount=amount,
            currency=currency,
            destination=params["destination"],
            transfer_group=params["transfer_group"],
            metadata=_metadata(params),
            reversed=False,
        )
        self._book("transfer", -amount, currency, transfer)
        self._tell("transfer.created", transfer)
        return transfer

    def _open_account(self, params: dict[str, str]) -> Values:
        if params["country"] == "JP":
            raise Refusal("country_unsupported")
        if (params["country"] != "HK") != (params.get("tos_acceptance[service_agreement]") == "recipient"):
            raise Refusal("service_agreement_needed")
        reference = f"acct_ofamember{next(self.numbers):04d}"
        self.open_account(reference, transfers="inactive")
        return self.accounts[reference]

    def _link(self, params: dict[str, str]) -> Values:
        self._one(self.accounts, params["account"])
        return {"object": "account_link", "url": f"https://connect.stripe.com/setup/e/{params['account']}"}

    def _card(self, params: dict[str, str]) -> Values:
        if params["card[token]"] not in CARDS:
            raise Refusal("resource_missing")
        return self._kept(self._new("pm", "payment_method", self.cards), token=params["card[token]"])

    def _confirm(self, params: dict[str, str], reference: str) -> Values:
        """The page is paid as Stripe's command line does it."""
        session, card = self._one(self.sessions, reference), self._one(self.cards, params["payment_method"])
        if session["status"] != "open" or int(params["expected_amount"]) != session["amount_total"]:
            raise Refusal("checkout_amount_mismatch")
        self.pay(reference, CARDS[card["token"]])
        if card["token"] == "tok_createDispute":
            self.contest(reference)
        return session

    def _charge_at_once(self, params: dict[str, str]) -> Values:
        """Of a card whose money is available at once, and of nothing the exchange asked for."""
        if CARDS.get(params["source"]) != "good":
            raise Refusal("resource_missing")
        self.available[params["currency"]] = self.available.get(params["currency"], 0) + int(params["amount"])
        return self._new("ch", "charge", {})

    def _judge(self, params: dict[str, str], reference: str) -> Values:
        dispute = self._one(self.disputes, reference)
        proof = params["evidence[uncategorized_text]"]
        session = next(
            one["id"] for one in self.sessions.values() if one["payment_intent"] == dispute["payment_intent"]
        )
        if proof not in ("losing_evidence", "winning_evidence") or params["submit"] != "true":
            raise Refusal("parameter_invalid")
        self.decide(session, is_lost=proof == "losing_evidence")
        return dispute

    # --- what payers, payees and banks do --------------------------------------------------------------------------

    def pay(self, reference: str, card: str = "good") -> None:
        """The payer pays on the page. `later`: by what takes days; `refund_fails`: from what takes nothing back."""
        session = self.sessions[reference]
        assert session["status"] == "open", session["status"]
        session |= {"status": "complete", "url": None, "payment_intent": f"pi_{next(self.numbers)}"}
        if card != "later":
            self._charge(session, card)
        self._tell("checkout.session.completed", session)

    def arrive(self, reference: str) -> None:
        """What takes days arrived."""
        session = self.sessions[reference]
        self._charge(session, "good")
        self._tell("checkout.session.async_payment_succeeded", session)

    def fail(self, reference: str) -> None:
        """What takes days did not come."""
        if self.sessions[reference]["status"] == "open":
            self.pay(reference, "later")
        self._tell("checkout.session.async_payment_failed", self.sessions[reference])

    def lapse(self, reference: str) -> None:
        """A day went by and nobody paid."""
        session = self.sessions[reference]
        assert session["status"] == "open", session["status"]
        session |= {"status": "expired", "url": None}
        self._tell("checkout.session.expired", session, at=session["expires_at"])

    def contest(self, reference: str) -> None:
        """The payer's bank takes the money back until it has decided."""
        charge = self.charges[self.sessions[reference]["payment_intent"]]
        charge["disputed"] = True
        dispute = self._new("dp", "dispute", self.disputes)
        self._kept(
            dispute,
            amount=charge["amount"],
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            status="needs_response",
            balance_transactions=[],
        )
        taken = self._book("adjustment", -charge["amount"], charge["currency"], dispute, fee=1500)
        dispute["balance_transactions"] = [taken | {"source": dispute["id"]}]
        self._tell("charge.dispute.created", dispute)

    def decide(self, reference: str, *, is_lost: bool) -> None:
        """The payer's bank decided; what the payer does not keep comes back."""
        intent = self.sessions[reference]["payment_intent"]
        dispute = next(one for one in self.disputes.values() if one["payment_intent"] == intent)
        dispute["status"] = "lost" if is_lost else "won"
        if not is_lost:
            self.charges[intent]["disputed"] = False
            back = self._book("adjustment", dispute["amount"], dispute["currency"], dispute)
            dispute["balance_transactions"].append(back | {"source": dispute["id"]})
        self._tell("charge.dispute.closed", dispute)

    def reverse(self, reference: str) -> None:
        """Somebody took a transfer back, at Stripe's own pages."""
        transfer = self.transfers[reference]
        transfer["reversed"] = True
        reversal = self._kept(
            self._new("trr", "transfer_reversal", self.reversals),
            amount=transfer["amount"],
            currency=transfer["currency"],
            transfer=reference,
            metadata={},
        )
        self._book("transfer_refund", transfer["amount"], transfer["currency"], reversal)
        self._tell("transfer.reversed", transfer)

    def open_account(self, reference: str, *, transfers: str = "active") -> str:
        """A member's own account, connected to the platform."""
        self.accounts[reference] = {
            "id": reference,
            "object": "account",
            "created": int(clock.now().timestamp()),
            "capabilities": {"transfers": transfers},
            "payouts_enabled": transfers == "active",
        }
        return reference

    def forget_keys(self) -> None:
        """A day went by: what was asked under which idempotency key is forgotten."""
        self.answers.clear()

    def session_of(self, key: str) -> str:
        """The newest page for our payment of this key."""
        return [one["id"] for one in self.sessions.values() if one["client_reference_id"] == key][-1]

    def news(self) -> list[tuple[bytes, dict[str, str]]]:
        """What it posts now to an endpoint set up as operators are told to, signed: each event once."""
        new, self.told = self.events[self.told :], len(self.events)
        return [signed(event) for event in new if event["type"] in EVENTS]

    # --- its books -------------------------------------------------------------------------------------------------

    def _charge(self, session: Values, card: str) -> None:
        session["payment_status"] = "paid"
        intent, amount, currency = session["payment_intent"], session["amount_total"], session["currency"]
        charge = self._new("ch", "charge", {})
        self.charges[intent] = self._kept(
            charge,
            amount=amount,
            amount_refunded=0,
            currency=currency,
            payment_intent=intent,
            metadata=session["intent_metadata"],
            disputed=False,
            card=card,
        )
        self._book("charge", amount, currency, charge, fee=amount * 34 // 1000)
        self._tell("charge.succeeded", charge)

    def _new(self, prefix: str, name: str, rows: dict[str, Values]) -> Values:
        made = {
            "id": f"{prefix}_{next(self.numbers)}",
            "object": name,
            "created": int(clock.now().timestamp()),
            "livemode": False,
        }
        rows[made["id"]] = made
        return made

    def _kept(self, row: Values, **values: Any) -> Values:
        row |= values
        return row

    def _book(self, kind: str, amount: int, currency: str, source: Values, *, fee: int = 0) -> Values:
        line = {
            "id": f"txn_{next(self.numbers)}",
            "object": "balance_transaction",
            "created": int(clock.now().timestamp()),
            "type": kind,
            "amount": amount,
            "fee": fee,
            "net": amount - fee,
            "currency": currency,
            "source": dict(source),
        }
        self.books.append(line)
        return line

    def _tell(self, kind: str, about: Values, *, at: int | None = None) -> None:
        self.events.append(
            {
                "id": f"evt_{next(self.numbers):06d}",
                "object": "event",
                "api_version": API_VERSION,
                "created": at or int(clock.now().timestamp()),
                "livemode": False,
                "type": kind,
                "data": {"object": json.loads(json.dumps(about))},
            }
        )


def signed(event: Values, *, secret: str = SECRET, at: int | None = None) -> tuple[bytes, dict[str, str]]:
    """An event as Stripe posts it."""
    body = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(body, secret, at)
    return body.encode(), {"Stripe-Signature": header}


def _fits(name: str, known: str) -> bool:
    return name == known or ("\\" in known and re.fullmatch(known, name) is not None)


def _metadata(params: dict[str, str], under: str = "metadata") -> dict[str, str]:
    return {name[len(under) + 1 : -1]: value for name, value in params.items() if name.startswith(f"{under}[")}


def _require_amount(amount: int, currency: str) -> None:
    if not 0 < amount <= 99_999_999:
        raise Refusal("amount_too_large" if amount > 0 else "parameter_invalid_integer")
    if currency in WITH_THREE_DECIMALS and amount % 10:
        raise Refusal("parameter_invalid_integer")


def _page(rows: list[Values], params: dict[str, str]) -> Values:
    """The newest first, those that fit, a few at a time."""
    fitting = [
        row
        for row in reversed(rows)
        if int(params.get("created[gte]", 0)) <= row["created"] < int(params.get("created[lt]", 2**40))
        and all(row[name] == params[name] for name in ("payment_intent", "transfer_group", "type") if name in params)
    ]
    after = params.get("starting_after")
    start = next((at + 1 for at, row in enumerate(fitting) if row["id"] == after), 0)
    shown = fitting[start : start + min(int(params.get("limit", 10)), ON_A_PAGE)]
    return {"object": "list", "has_more": len(fitting) > start + len(shown), "data": shown}
