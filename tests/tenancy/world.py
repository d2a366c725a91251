"""One small exchange with something of every kind in it, made by the real commands, and everybody who may knock."""

from __future__ import annotations

import datetime as dt
import io
import time
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.utils import timezone
from PIL import Image

from compliance import (
    demand_answers,
    demands,
    dossier,
    holds,
    joint_members,
    proofs,
    review_questions,
    reviews,
    verification,
)
from compliance.models import Review
from listings import (
    discounts,
    listing_reports,
    objections,
    publishing,
    questions,
    registration,
    samples,
    saved_searches,
    uploads,
)
from listings.models import Registration
from marketplace import announcements, clock, documents, journal, participants, tokens, webhooks
from marketplace.models import Notification, Organisation, Paper, User
from marketplace.roles import Role, StaffRole
from settlement import (
    billing,
    clearing,
    deliveries,
    invoices,
    mendings,
    payments,
    payout_accounts,
    quotes,
    splits,
    statements,
    trades,
)
from settlement.bank import payment_files, reports
from settlement.channels.files.links import links
from settlement.gateways.sandbox_bank import reference_of
from settlement.models import BankFile, Dispute, Invoice, Netting, Payout, Refund, SandboxOrder, Statement, Unmatched
from settlement.splits import Kind, Wanted
from settlement.states import OutgoingState, TradeState
from tests import bank_messages, factories, rows, trading

REASON = {"reason_code": "complaint", "reason": "Somebody complained."}
SIDES = ("seller", "buyer", "newcomer")


class World:
    """Objects by name. `people` are all who knock, by what they are: `nobody`, `stranger`, `former`,
    `seller:<role>`, `buyer:<role>`, `newcomer:<role>`, `staff:<role>`, `staff:all` and `staff:none`.
    """

    def __init__(self, mark: str = "") -> None:
        """`mark` is put behind every name and text a member or one of the staff chooses."""
        self.mark = mark
        self.seller = trading.make_verified("A Selling House Limited" + mark)
        self.buyer = trading.make_verified("A Buying House Limited" + mark)
        self.newcomer = factories.tell_all(factories.make_organisation("A House That Has Not Applied" + mark))
        self.people: dict[str, User | None] = {"nobody": None}
        self._make_people()
        self._make_products()
        self.entry = factories.make_entry(mark)
        self._make_reviews()
        self._make_decisions()
        self._make_trades()
        self._make_money()
        self._make_papers()
        self._make_members_things()
        if mark:
            User.objects.update(name="Somebody" + mark)
        self.sessions = {name: _session(person) for name, person in self.people.items() if person is not None}

    # --- people ----------------------------------------------------------------------------------------------------

    def _make_people(self) -> None:
        for side in SIDES:
            organisation: Organisation = getattr(self, side)
            for role in Role:
                is_owner = role == Role.OWNER
                person = factories.owner_of(organisation) if is_owner else factories.make_member(organisation, role)
                self.people[f"{side}:{role.value}"] = person
        self.people["stranger"] = factories.make_verified("A Stranger Limited").created_by
        self.people["former"] = self._former()
        for role in StaffRole:
            self.people[f"staff:{role.value}"] = factories.make_staff(role)
        self.people["staff:all"] = factories.make_staff(*StaffRole)
        self.people["staff:none"] = factories.make_staff()

    def _former(self) -> User:
        """Somebody who was an owner on every side, left, and now has an organisation of their own."""
        person = factories.make_user("former@example.com")
        factories.make_organisation("A House Founded Later", owner=person)
        for side in SIDES:
            organisation: Organisation = getattr(self, side)
            owner = organisation.created_by
            _invitation, secret = participants.invite(organisation, email=person.email, role=Role.OWNER, by=owner)
            participants.end_membership(participants.accept_invitation(secret, by=person), by=owner)
        return person

    def person(self, name: str) -> User:
        found = self.people[name]
        assert found is not None
        return found

    def client_of(self, name: str) -> Client:
        """A fresh browser in which this person is signed in."""
        client = Client()
        if name in self.sessions:
            client.cookies["sessionid"] = self.sessions[name]
        return client

    # --- products --------------------------------------------------------------------------------------------------

    def _make_products(self) -> None:
        owner = self.seller.created_by
        self.listed = trading.make_listed(self.seller, **self._manual())
        plan = {"name": "One year" + self.mark}
        self.on_request = trading.make_offer(self.listed, audience="on_request", **plan)
        self.named_offer = trading.make_offer(self.listed, audience="named", buyers=[self.buyer], **plan)
        until = clock.now() + dt.timedelta(days=9)
        self.discount = discounts.set_discount(self.named_offer, percent=5, valid_until=until, by=owner)
        samples.publish(self.listed, by=owner)
        self.suspended = trading.make_listed(self.seller)
        reason = "Being looked into." + self.mark
        publishing.suspend(self.suspended, reason=reason, by=factories.make_staff("review"))
        self.draft = factories.make_draft(self.seller, **self._manual())
        self._make_objection()
        self._make_questions()
        self._make_report()
        self._make_demands()
        self.fresh = publishing.create_listing(seller=self.seller, product_type="dataset", by=owner)
        label = "to be sealed" + self.mark
        self.release = uploads.open_release(self.fresh, label=label, notes=label, by=owner)
        uploads.put_file(self.release, path="a.csv", stream=io.BytesIO(factories.FLIGHTS_CSV), by=owner)
        self.arriving = uploads.open_release(self.fresh, label="still arriving", by=owner)
        self.upload = uploads.start_upload(self.arriving, path="b.csv", size_bytes=10, by=owner)

    def _make_objection(self) -> None:
        """A product in its publicity window, and what somebody has against it."""
        with override_settings(PUBLICITY_DAYS=20):
            version = factories.make_draft(self.seller, **self._manual())
            factories.make_approved(version)
            registration.register_due()
        self.in_window = Registration.objects.get(version=version)
        by, reason = factories.make_user(), "Those rows are ours." + self.mark
        self.objection = objections.file(self.in_window, reason=reason, evidence=reason, by=by)

    def _make_questions(self) -> None:
        """One that waits for its answer, and one that is answered for all to read."""
        asked = {"asked_for": self.buyer, "by": self.buyer.created_by}
        self.question_waiting = questions.ask(self.listed, text="Is Macao covered?" + self.mark, **asked)
        self.question_answered = questions.ask(self.listed, text="Are Sundays covered?", **asked)
        questions.answer(self.question_answered, text="They are.", by=self.seller.created_by)

    def _make_report(self) -> None:
        by, text = factories.make_user(), "Its dates are wrong." + self.mark
        self.report = listing_reports.report(self.listed, category="description", text=text, by=by)

    def _make_demands(self) -> None:
        """A public one with an answer that waits, and a private one matched with the seller."""
        self.demand = demands.post(self.buyer, **demand_of("Tugs of every port" + self.mark), by=self.buyer.created_by)
        self.answer = demand_answers.answer(
            self.demand, seller=self.seller, **answer_of("We count tugs." + self.mark), by=self.seller.created_by
        )
        demand_answers.write(
            self.answer, text="Since when?" + self.mark, acting_for=self.buyer, by=self.buyer.created_by
        )
        facts = demand_of("Night ferries" + self.mark) | {"is_public": False}
        self.private_demand = demands.post(self.buyer, **facts, by=self.buyer.created_by)
        demands.match(
            self.private_demand, seller=self.seller, note="Perhaps you?" + self.mark, by=factories.make_staff("support")
        )

        self.search = saved_searches.save(
            name="Night ferries" + self.mark, query="q=night", frequency="daily", reader=self.buyer,
            by=self.buyer.created_by,
        )  # fmt: skip

    def _manual(self) -> dict[str, Any]:
        """What the manual says of the product, marked."""
        languages = ("en", "zh-hans", "zh-hant")
        claim = {part: text + self.mark for part, text in {"basis": "Own collection", "evidence": "Record 12"}.items()}
        return {
            "titles": {language: "Departures of New York" + self.mark for language in languages},
            "summaries": {language: "Every departure." + self.mark for language in languages},
            "coverage_area": {language: "New York" + self.mark for language in languages},
            "fields": [{"name": "carrier" + self.mark, "type": "text", "meaning": "Airline" + self.mark, "unit": ""}],
            "use_scenarios": "Planning." + self.mark,
            "forbidden_uses": "Tracing passengers." + self.mark,
            "source_statement": "Collected by us." + self.mark,
            "rights": {right: {"held": True, **claim} for right in ("holding", "use", "operation")},
        }

    def _make_reviews(self) -> None:
        owner = self.seller.created_by
        self.submitted = factories.make_draft(self.seller, **self._manual())
        self.open_review = reviews.submit(self.submitted, by=owner)
        self.taken_review = reviews.submit(factories.make_draft(self.seller), by=owner)
        reviews.take(self.taken_review, by=factories.make_staff("review"))
        self.asked_review = reviews.submit(factories.make_draft(self.seller, **self._manual()), by=owner)
        asker = factories.make_staff("review")
        reviews.take(self.asked_review, by=asker)
        text = "Since when?" + self.mark
        self.question = review_questions.ask(self.asked_review, field="coverage_from", question=text, by=asker)
        review_questions.note(self.asked_review, text="Only for colleagues." + self.mark, by=asker)
        sent_back = reviews.submit(factories.make_draft(self.seller), by=owner)
        officer = factories.make_staff("review")
        reviews.take(sent_back, by=officer)
        told = "Too many gaps." + self.mark
        reviews.request_changes(sent_back, reason_code="quality", reason=told, by=officer)
        self.sent_back = sent_back.version

        self.listed_review = Review.objects.get(version=self.listed.current_version)

    def _bring_bank_files(self) -> None:
        """A statement, a file of payments, an instruction that waits for the next, and money only the bank booked."""
        officer = factories.make_staff("payments")
        line = bank_messages.Line(500, text="a gift" + self.mark, payer=f"//{self.mark}")
        self.bank_report = reports.take_camt053(bank_messages.camt053([line]), name="day" + self.mark, by=officer)
        for key in ("sent-before", "waits-now"):
            rows.an_instruction(key)
            self.bank_file = BankFile.objects.last() or payment_files.make("HKD", by=officer)
        self.broken = rows.a_break("charge" + self.mark)

    def file(self) -> SimpleUploadedFile:
        """A file as a form sends it."""
        return SimpleUploadedFile("e.csv", factories.FLIGHTS_CSV)

    def _make_decisions(self) -> None:
        officer = factories.make_staff("vetting")
        self.applicant = factories.make_applied("An Applicant Limited" + self.mark)
        self.half_approved = factories.make_applied("A Half Approved Applicant Limited")
        checked = {"reason_code": "checks_passed", "reason": "Checked the register." + self.mark}
        self.decision = verification.propose(self.half_approved.verification, "approve", **checked, by=officer)
        account = {"holder": "A Selling House" + self.mark, "bank": "A bank", "reference": "012-345"}
        out = io.BytesIO()
        Image.new("RGB", (8, 8)).save(out, "PNG")
        paper = {"kind": "licence", "issuer": "A registry" + self.mark, "number": "7" + self.mark}
        self.proof = proofs.add(self.seller, content=out.getvalue(), by=self.seller.created_by, **paper)
        proofs.draw_next()
        self.fact_change = dossier.tell(self.seller, "bank", account, by=self.seller.created_by)
        held = REASON | {"reason": "Somebody complained." + self.mark}
        self.hold = holds.place("listing", self.fresh.pk, **held, by=officer)

    # --- trades ----------------------------------------------------------------------------------------------------

    def _make_trades(self) -> None:
        self.settled = self._walked(TradeState.SETTLED)
        self.accepted = self._walked(TradeState.ACCEPTED)
        self.cycle = trading.close_now()
        self.ripe = self._walked(TradeState.ACCEPTED)
        self.next_cycle = clearing.open_cycle(self.ripe.trade.currency)
        self.delivered = self._walked(TradeState.DELIVERED)
        self.disputed = self._walked(TradeState.DELIVERED)
        trades.dispute(self.disputed.trade, reason="The dates are wrong." + self.mark, by=self.buyer.created_by)
        self.dispute = Dispute.objects.get(trade=self.disputed.trade)
        self.registered = self._walked(TradeState.REGISTERED)
        self.expired = self._walked(TradeState.REGISTERED)
        with clock.moved_to(self.expired.reload().fund_until):
            trades.expire(self.expired.trade)
        self._make_metered()
        self.failed = self._walked(TradeState.REGISTERED)
        trading.pay(self.failed, "fail")
        self.overpaid = self._walked(TradeState.REGISTERED)
        trading.pay(self.overpaid, "pay_more")
        self.quote = quotes.make(self.named_offer, buyer=self.buyer, by=self.buyer.created_by)
        self.proposed = trading.propose(self.on_request, buyer=self.buyer)

    def _walked(self, state: str) -> trading.Deal:
        """A trade between our two houses, walked to this state."""
        deal = trading.propose(self.on_request, buyer=self.buyer)
        for step, walk in trading.ROAD.items():
            walk(deal)
            assert deal.state == step, f"{deal.state}, not {step}"
            if step == state:
                break
        return deal

    def _make_metered(self) -> None:
        """A licence whose calls are billed monthly, a bill that is paid, and a call that stands on none."""
        by_the_call: Any = {"price_minor": None, "steps": [{"from_quantity": 1, "unit_price_minor": 50}]}
        by_the_call |= {"most_quantity": 10, "is_postpaid": True, "audience": "named", "buyers": [self.buyer]}
        offer = trading.make_offer(self.listed, **by_the_call)
        self.metered = trading.propose(offer, buyer=self.buyer)
        trading.work()
        self._call("first")
        bill = billing.ask(self.metered.trade, by=self.metered.buyer)
        self.bill = trading.Deal(bill, self.metered.buyer, self.metered.seller)
        trading.work()
        trading.pay(self.bill)
        self._call("second")

    def _call(self, key: str) -> None:
        grant = self.metered.reload().grant
        deliveries.leave_receipt(grant, path="a", sha256="0" * 64, first_byte=0, size_bytes=1, by=None, call=key)

    def _make_money(self) -> None:
        bounced = self._walked(TradeState.REGISTERED)
        trading.pay(bounced, "pay_less", account="bounce")
        returned = Unmatched.objects.get(payment=bounced.payment)
        payments.return_unmatched(returned, by=factories.make_staff("payments"))
        trading.work()
        self.refund = Refund.objects.get(unmatched=returned, state=OutgoingState.BOUNCED)
        account = "acct-mended" + self.mark
        mendings.send_again(self.refund, payer_reference=account, by=factories.make_staff("payments"))
        self.mending = self.refund.mendings.get()
        named = {"gateway_name": "sandbox", "reference": "acct-waiting" + self.mark}
        self.split = splits.propose(self.listed, [Wanted(Kind.BROKER, 100, self.buyer)], by=self.seller.created_by)
        self.waiting_account = payout_accounts.name(self.buyer, **named, by=self.buyer.created_by)
        self.lonely = trading.make_verified("A Lonely House Limited")
        self.lonely_account = payout_accounts.name(self.lonely, **named, by=self.lonely.created_by)
        self.unmatched = Unmatched.objects.get(payment=self.overpaid.payment)
        self.payout = Payout.objects.filter(organisation=self.seller).latest("pk")
        self._bring_bank_files()
        self.payment_order = SandboxOrder.objects.get(reference=self.registered.payment.reference)
        self.payout_order = SandboxOrder.objects.get(reference=reference_of("payout", self.payout.key))
        token, name = links(self.delivered.trade.grant, by=self.buyer.created_by)[0]["url"].rsplit("/", 2)[1:]
        self.link = {"token": token, "name": name}
        self.stuck = trading.propose(self.named_offer, buyer=self.buyer).trade
        trades.postpone(self.stuck, RuntimeError("the register was away" + self.mark))

    def _make_papers(self) -> None:
        journal.seal()
        for statement in Statement.objects.filter(paper=None):
            statements.issue([statement])
        invoices.issue_next()
        self.invoice = Invoice.objects.get(trade=self.settled.trade, kind="licence")
        self.statement = Statement.objects.get(organisation=self.seller, cycle=self.settled.trade.cycle)
        self.netting = Netting.objects.create(organisation=self.seller, asked_by=self.seller.created_by)
        about = Paper.objects.filter(subject_kind="trade", subject_id=self.settled.trade.pk)
        self.certificate = about.get(kind=Paper.Kind.TRADE_CERTIFICATE)
        self.contract = about.get(kind=Paper.Kind.TRADE_CONTRACT)
        officer = factories.make_staff("review")
        self.revocation = documents.ask_revocation(self.contract, reason="Issued by mistake." + self.mark, by=officer)

    def _make_members_things(self) -> None:
        self.announcement = announcements.write(
            kind="news",
            severity="info",
            audience="everybody",
            titles={"en": "Open on Sunday" + self.mark},
            texts={},
            starts_at=timezone.now() - dt.timedelta(hours=1),
            ends_at=timezone.now() + dt.timedelta(days=1),
            why="So that everybody knows.",
            by=factories.make_staff("support"),
        )
        owner = self.seller.created_by
        self.told = Notification.objects.filter(to=owner, kind="question.asked").latest("pk")
        self.webhook, _secret = webhooks.create(
            self.seller, url="https://hooks.example.com/in", description="For accounting" + self.mark, by=owner
        )
        self.webhook_delivery = webhooks.send_test(self.webhook, by=owner)
        self.joint = factories.make_joint("A Joint House Limited" + self.mark)
        self.joint_row = joint_members.name(self.joint, self.seller.public_id, by=factories.owner_of(self.joint))
        self.leaver = factories.membership_of(factories.make_member(self.seller, Role.VIEWER), self.seller)
        self.invitation, self.join_secret = participants.invite(
            self.seller, email=self.person("stranger").email, role=Role.VIEWER, by=owner
        )
        self.token, _secret = tokens.create_token(
            user=owner,
            organisation=self.seller,
            name="Nightly script" + self.mark,
            scopes=["read"],
            lapses_at=timezone.now() + dt.timedelta(days=1),
            by=owner,
        )

    # --- what nobody else may read ---------------------------------------------------------------------------------

    def secrets_from(self, who: str) -> list[str]:
        """Words that this one, who is no party to any of it, may never be answered with."""
        deals = [
            self.settled,
            self.delivered,
            self.disputed,
            self.registered,
            self.failed,
            self.metered,
            self.bill,
            self.overpaid,
            self.proposed,
        ]
        return [
            self.buyer.name,
            self.buyer.public_id,
            *([] if who.startswith("newcomer:") else [self.newcomer.name]),
            *(deal.trade.public_id for deal in deals),
            self.draft.listing.public_id,
            self.fresh.public_id,
            self.upload.public_id,
            self.named_offer.public_id,
            self.discount.public_id,
            self.quote.public_id,
            self.token.prefix,
            self.token.name,
            str(self.seller.created_by.email),
            self.payout.key,
            self.dispute.reason,
            self.question_waiting.text,
            self.report.text,
            self.answer.text,
            self.private_demand.title,
            self.private_demand.public_id,
        ]


def _session(person: User) -> str:
    """Signed in, and for all of the test as freshly as an act asks that a stolen session must not do."""
    client = Client()
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() + 86_400}]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()
    return client.cookies["sessionid"].value


def facts_of(name: str) -> dict[str, Any]:
    """What a new organisation says of itself."""
    kind, number = factories.registration_number("HK")
    return {
        "kinds": ["buyer"],
        "name": name,
        "latin_name": name,
        "country": "HK",
        "region": "HK",
        "number_kind": kind,
        "registration_number": number,
    }


def demand_of(title: str) -> dict[str, Any]:
    """A demand as the API is told of it: public, without its poster's name."""
    return {
        "title": title,
        "description": title + ", hour by hour.",
        "sector": "transport",
        "region": "HK",
        "columns": "name\nport",
        "coverage": "2025",
        "frequency": "daily",
        "budget_from_minor": 100_000,
        "budget_until_minor": 500_000,
        "currency": "HKD",
        "needed_by": None,
        "is_public": True,
        "is_named": False,
    }


def answer_of(text: str) -> dict[str, Any]:
    """A proposal as the API is told of it."""
    return {"product": "", "text": text, "price_minor": 200_000, "currency": "HKD", "ready_on": None}
