"""The world outside Stripe, acted out by Stripe's API alone: on this machine's stand-in, or by Stripe itself.

Where STRIPE_TEST_KEY holds a key of Stripe's test mode, in which no money moves, the suite runs against Stripe. Pages
are paid as Stripe's own command line pays them; what Stripe would post is asked for and signed here, since it cannot
reach a test. The account needs one connected account that takes transfers: connect it once on the page of a member's
money. Payments that fail after days are nothing that test mode can be told to do at once.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import stripe
from django.conf import settings as django_settings

from marketplace import clock
from settlement.gateways import Movement
from settlement.gateways.stripe_facts import EVENTS, key_of
from settlement.gateways.stripe_line import API_VERSION, Line, listed, services
from settlement.models import Payment, Payout, Refund
from settlement.states import MovementKind
from tests.stripe_server import KEY, SECRET, StripeServer, signed

TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")
QUIET_SECONDS = 15  # when Stripe has told nothing for so long, it has told what there was
LEAST_AVAILABLE = 100_000


def configure_stripe(settings: Any, server: StripeServer) -> None:
    """Let the exchange speak with this server as with Stripe."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = KEY, [SECRET]
    settings.STRIPE_ADDRESS, settings.WEBHOOK_LOOPBACK = server.url, True


class StripeWorld:
    """Its page takes the price and nothing else; what fails is what takes days."""

    good_payer = "tok_bypassPending"  # available at once
    bad_payer = "tok_refundFail"
    contesting_payer = "tok_createDispute"

    def __init__(self, settings: Any) -> None:
        self.server = None if TEST_KEY else StripeServer().__enter__()
        if self.server:
            configure_stripe(settings, self.server)
            self.server.open_account("acct_ofapayee0001")
            self.server.open_account("acct_ofapayee0002", transfers="inactive")
        else:
            assert TEST_KEY.startswith(("sk_test_", "rk_test_")), "STRIPE_TEST_KEY is no key of Stripe's test mode"
            settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = TEST_KEY, [SECRET]
        self.since = int(clock.now().timestamp())
        self.told: set[str] = set()
        self.intents: set[str] = set()
        own = services().accounts.retrieve_current()
        self.currency = own.default_currency.upper()
        self.good_account = self._account("active") or ""
        assert self.good_account, "connect an account that takes transfers to the one of STRIPE_TEST_KEY"
        self.bad_account = self._account("inactive") or self._new_account(own.country)
        self._fill_balance()

    def close(self) -> None:
        if self.server:
            self.server.__exit__()

    def _account(self, transfers: str) -> str | None:
        accounts = listed(services().accounts.list, {})
        return next((one["id"] for one in accounts if one["capabilities"].get("transfers") == transfers), None)

    def _new_account(self, country: str) -> str:
        """One that nobody filled in, so it takes no transfers."""
        controller = {
            "fees": {"payer": "application"},
            "losses": {"payments": "application"},
            "stripe_dashboard": {"type": "express"},
        }
        asked = {"country": country, "controller": controller, "capabilities": {"transfers": {"requested": True}}}
        return str(services().accounts.create(asked).id)

    def _fill_balance(self) -> None:
        """Transfers are paid out of what is available."""
        available = services().balance.retrieve().to_dict()["available"]
        currency = self.currency.lower()
        if sum(one["amount"] for one in available if one["currency"] == currency) < LEAST_AVAILABLE:
            charge = {"amount": 10 * LEAST_AVAILABLE, "currency": currency, "source": self.good_payer}
            services().charges.create(charge)

    def pay(self, payment: Payment, amount_minor: int, payer: str = "") -> None:
        if amount_minor != payment.amount_minor:
            return
        session = self._session_of(payment)
        page = self._ask("get", f"/v1/payment_pages/{session['id']}")
        card = {"type": "card", "card": {"token": payer or self.good_payer}}
        method = self._ask("post", "/v1/payment_methods", **card, billing_details={"email": "a.payer@example.com"})
        said = {"payment_method": method["id"], "expected_amount": session["amount_total"]}
        self._ask("post", f"/v1/payment_pages/{page['id']}/confirm", **said)
        self.intents.add(self._session_of(payment)["payment_intent"])

    def fail(self, payment: Payment) -> bool:
        if self.server:
            self.server.fail(self._session_of(payment)["id"])
        return self.server is not None

    def contest(self, payment: Payment) -> None:
        """Its payer did, by the card it paid with."""

    def decide(self, payment: Payment, *, is_lost: bool) -> None:
        intent = self._session_of(payment)["payment_intent"]
        opened_until = time.monotonic() + QUIET_SECONDS
        while not (disputes := list(listed(services().disputes.list, {"payment_intent": intent}))):
            assert time.monotonic() < opened_until, "Stripe opened no dispute"
            time.sleep(1)
        proof = "losing_evidence" if is_lost else "winning_evidence"
        services().disputes.update(disputes[0]["id"], {"evidence": {"uncategorized_text": proof}, "submit": True})

    def post(self) -> list[tuple[bytes, Mapping[str, str]]]:
        found: list[dict[str, Any]] = []
        quiet_since = time.monotonic()
        while True:
            if new := self._new_events():
                found, quiet_since = found + new, time.monotonic()
            if self.server or time.monotonic() - quiet_since > QUIET_SECONDS:
                return [signed(json.loads(json.dumps(event, default=str))) for event in found]
            time.sleep(1)

    def of_this_test(self, lines: Sequence[Movement]) -> list[Movement]:
        """Stripe's account is older than the test, and others use it; the stand-in begins empty."""
        if self.server:
            return list(lines)
        return [one for one in lines if self._is_ours(one.charged_for if one.kind == MovementKind.FEE else one.key)]

    def _new_events(self) -> list[dict[str, Any]]:
        """What was told since the last time, the oldest first, of what this test did."""
        asked = {"created": {"gte": self.since}, "types": list(EVENTS)}
        events = [one for one in listed(services().events.list, asked) if one["id"] not in self.told]
        self.told |= {one["id"] for one in events}
        return [one for one in reversed(events) if self._is_about_ours(one["data"]["object"])]

    def _is_about_ours(self, told: Mapping[str, Any]) -> bool:
        key = told.get("client_reference_id") or key_of(told)
        return self._is_ours(key) or told.get("payment_intent") in self.intents

    def _is_ours(self, key: str) -> bool:
        return any(kind.objects.filter(key=key).exists() for kind in (Payment, Refund, Payout))

    def _session_of(self, payment: Payment) -> dict[str, Any]:
        sessions = listed(services().checkout.sessions.list, {"created": {"gte": self.since}})
        return next(one for one in sessions if one["client_reference_id"] == payment.key)

    def _ask(self, method: str, path: str, **params: Any) -> Any:
        """What the SDK has no words for."""
        address = {"api": django_settings.STRIPE_ADDRESS}
        key, line = django_settings.STRIPE_SECRET_KEY, Line()
        client = stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses=address, http_client=line)
        return client.raw_request(method, path, **params).data
