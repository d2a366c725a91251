"""The demo exchange, a slice of it: three weeks and a handful of products, opened as the whole is."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.conf import settings
from django.db.models import Count

from compliance import proofs
from compliance.models import Decision, DossierSection, FactChange, Hold, Proof, Review, TierDecision, Verification
from listings.models import (
    Answer,
    CatalogueEntry,
    Discount,
    Listing,
    ListingReport,
    Objection,
    Offer,
    Question,
    Registration,
    ShelfItem,
)
from listings.states import ListingState
from marketplace import clock
from marketplace.demo import explained, hands, market, metered, opening, products, tried, upgraded
from marketplace.demo.cast import APPLICANTS, BUYERS, HOUSES, SELLERS
from marketplace.journal_audit import Audit
from marketplace.models import Event, Revocation, User
from settlement import ledger, quotes, tasks
from settlement import metering as calls
from settlement.models import ClearingCycle, Instalment, Quote, Receipt, Refund, SandboxNotice, Trade
from settlement.states import TradeState
from tests import trading
from tests.crashes.dying import surroundings

KEYS = {"carriers", "planes", "workdays", "metro", "closings"}
DAYS = 24


def test_thirty_products_of_eight_merchants_of_all_types_are_planned_and_one_of_a_joint_merchant():
    shelf = products.on_sale()
    joint = [house for house in SELLERS if house.members]
    assert len(SELLERS) == 8 + len(joint) and len(joint) == 1
    assert len([one for one in shelf if one.seller != joint[0].key]) == 30
    assert {one.seller for one in shelf} == {house.key for house in SELLERS}
    assert {one.product_type for one in shelf} == {"dataset", "api", "report", "model", "service"}
    for one in shelf:
        assert set(one.manual["titles"]) == set(one.manual["summaries"]) == {"en", "zh-hans", "zh-hant"}
        if one.product_type in ("api", "model", "service"):
            assert [offer["price_minor"] for offer in one.offers] == [0], f"{one.key} has no channel yet"
            assert "without a paid plan" in one.manual["summaries"]["en"]
        if one.manual["lawful_basis"] == "self_produced":
            said = one.manual["titles"]["en"] + one.manual["summaries"]["en"]
            assert "imulated" in said and "模拟" in one.manual["source_statement"], (
                f"{one.key} must say it is simulated"
            )


def test_the_plan_of_a_year_is_the_same_every_time_and_knows_every_fate():
    begins = clock.today()
    plan = market.plan(products.on_sale(), begins, 365)
    assert plan == market.plan(products.on_sale(), begins, 365)
    assert 50 <= len(plan) <= 120
    assert len({deal.order for deal in plan}) == len(plan)
    assert {deal.fate for deal in plan} == set(market.Fate)
    by_quarter = Counter(deal.day // 92 for deal in plan)
    assert by_quarter[3] > by_quarter[0]


def open_slice():
    told = []
    opening.open_exchange(told.append, days=DAYS, keys=KEYS)
    return told


def counts():
    return Event.objects.count(), Trade.objects.count(), User.objects.count(), SandboxNotice.objects.count()


def require_whole():
    """What any opened demo is, however often it was cut off."""
    assert ledger.reconcile() == []
    assert all(sum(kinds.values()) == 0 for kinds in ledger.totals().values())
    assert list(Audit().findings()) == []
    planned = market.plan([one for one in products.on_sale() if one.key in KEYS], opening_day(), DAYS)
    assert set(Trade.objects.values_list("purchase_order", flat=True)) == {deal.order for deal in planned}
    assert Trade.objects.count() == len(planned)
    doubles = Offer.objects.values("listing", "name").annotate(times=Count("pk")).filter(times__gt=1)
    assert not doubles.exists()
    assert Listing.objects.filter(state=ListingState.LISTED).count() == len(KEYS)
    assert not SandboxNotice.objects.filter(posted_at=None, next_try_at__lte=clock.now()).exists()
    assert Event.objects.filter(kind="demo.opened").count() == 1


def require_content():
    """What a visitor is to find besides trades."""
    bought = Receipt.objects.select_related("grant__trade__release").all()
    assert bought
    for receipt in bought:
        file = receipt.grant.trade.release.files.get(path=receipt.path)
        assert (receipt.sha256, receipt.first_byte, receipt.size_bytes) == (file.sha256, 0, file.size_bytes)
        assert receipt.at > receipt.grant.opened_at
    assert [proof.organisation.latin_name for proof in proofs.expiring()] == ["Nansha Shipping Data Services Co., Ltd."]
    assert set(Proof.objects.values_list("media_type", flat=True)) == {"application/pdf", "application/xml"}
    assert set(TierDecision.objects.values_list("tier__code", flat=True)) == {"basic", "standard", "premier"}
    assert CatalogueEntry.objects.count() == 24
    assert not CatalogueEntry.objects.exclude(exchange__contains="made up").exists()
    public = Registration.objects.get(objections_until__gt=clock.now())
    assert public.version.listing.state == ListingState.REGISTERED
    assert sorted(Objection.objects.values_list("registration", "state")) == [
        (public.pk, "dismissed"), (public.pk, "open"),
    ]  # fmt: skip
    assert FactChange.objects.filter(decided_at=None).count() == 1
    assert sorted((one.percent, one.is_over) for one in Discount.objects.all()) == [(10, True), (25, False)]
    assert [quotes.state_of(one) for one in Quote.objects.all()] == ["valid"]
    parts = Instalment.objects.filter(trade__state=TradeState.REGISTERED).order_by("number")
    assert [(part.amount_minor, part.paid_at is not None) for part in parts] == [
        (96_000, True), (72_000, False), (72_000, False),
    ]  # fmt: skip
    assert ShelfItem.objects.filter(price_minor=9_000, currency="HKD").exists(), "a metro at its price in force"
    sectors = DossierSection.objects.filter(section="activity").values_list("facts__sector", flat=True)
    assert len(set(sectors)) >= 6
    assert settings.PUBLICITY_DAYS == 0


def opening_day():
    return Event.objects.get(kind="demo.begun").at.astimezone(opening.ZoneInfo(settings.TIME_ZONE)).date()


@pytest.fixture
def moving(settings, tmp_path):
    settings.CLOCK_MAY_MOVE = True
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.mark.django_db(transaction=True)
def test_a_slice_opens_with_trades_in_the_past_and_work_for_every_desk_and_only_once(moving):
    told = open_slice()
    assert told[0].startswith("[  0 %]") and told[-1].startswith("[100 %]")
    require_whole()
    assert Trade.objects.filter(state=TradeState.SETTLED, certificate__isnull=False).exists()
    released = ClearingCycle.objects.filter(released_at__isnull=False)
    assert released.count() >= 3 and not released.filter(trades=None).exists()
    require_content()
    assert (clock.now() - Trade.objects.earliest("proposed_at").proposed_at).days >= 7
    assert Verification.objects.filter(state="applied").count() == 2
    assert Decision.objects.filter(decided_at=None, dropped_at=None).count() == 1
    assert Revocation.objects.filter(revoked_at=None).count() == 1
    assert Refund.objects.filter(state="bounced").count() == 1
    assert Question.objects.open().count() == Answer.objects.count() == 1
    assert ListingReport.objects.filter(state="open").count() == 1
    assert Verification.objects.filter(state="more_requested").count() == 1
    assert set(Review.objects.exclude(state="approved").values_list("state", flat=True)) == {
        "open", "taken", "changes_requested",
    }  # fmt: skip
    assert not Hold.objects.filter(lifted_at=None).exists()  # the held product belongs to one who joins later
    assert {one.role for house in HOUSES for one in house.people} >= {"owner", "trader", "data_steward", "finance"}
    before = counts()
    assert open_slice() == []
    assert counts() == before


DEATHS = [
    "within compliance.verification.confirm",
    "after listings.uploads.start_upload",
    "after listings.profiling.finish",
    "within compliance.reviews.approve",
    "after settlement.trades.propose",
    "before settlement.hearing.hear",
    "within settlement.trades.deliver",
    "within settlement.trades.clear",
    "after settlement.payouts.record_sent",
]


@pytest.mark.django_db(transaction=True)
def test_an_opening_that_is_killed_goes_on_where_it_was(moving, tmp_path):
    code = (
        "import tests.crashes.app\n"
        "from marketplace.demo import opening\n"
        f"opening.open_exchange(print, days={DAYS}, keys={KEYS!r})\n"
    )
    for point in DEATHS:
        died = subprocess.run(
            [sys.executable, "-W", "ignore::RuntimeWarning", "-c", code],
            env=surroundings(CRASH_AT=point, CRASH_MARK=str(tmp_path / "mark"), DJANGO_SETTINGS_MODULE=os.environ.get(
                "DJANGO_SETTINGS_MODULE", "marketplace.settings"
            )),
            cwd=settings.BASE_DIR, capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]
    open_slice()
    require_whole()


@pytest.mark.django_db(transaction=True)
def test_one_trial_went_on_one_was_stopped_and_one_runs(moving):
    listing = trading.make_offer().listing
    houses = {house: trading.make_verified() for house, _taken, _stopped in tried.TAKEN}
    opened = clock.now()
    for days_left in range(31, 0, -1):
        with clock.moved_to(opened + dt.timedelta(days=31 - days_left)):
            tried.about(listing, houses, days_left)
            hands.work()
            tasks.close_grants()
    bank, lion, institute = (Trade.objects.get(buyer=houses[one], is_trial=True) for one in houses)
    assert Trade.objects.get(renews=bank).state == TradeState.DELIVERED
    assert [trade.grant.state for trade in (bank, lion, institute)] == ["closed", "closed", "open"]
    assert [trade.renewal.state for trade in (bank, lion, institute)] == ["renewed", "stopped", "standing"]


@pytest.mark.django_db(transaction=True)
def test_calls_of_a_month_are_billed_and_paid_and_others_are_open(moving):
    listing, buyer = trading.make_offer().listing, trading.make_verified()
    with clock.moved_to(dt.datetime(2026, 9, 20, 4, tzinfo=dt.UTC)) as move:
        for days_left in range(24, 0, -4):
            move(dt.datetime(2026, 10, 14, 4, tzinfo=dt.UTC) - dt.timedelta(days=days_left))
            metered.about(listing, buyer, days_left)
            hands.tidy()
            time.sleep(1)  # a link of another second is another call
        [bill] = Trade.objects.filter(bills__buyer=buyer)
        usage = calls.of(bill.bills)
    assert (bill.state, bill.billed_until) == (TradeState.DELIVERED, dt.datetime(2026, 9, 30, 16, tzinfo=dt.UTC))
    assert usage is not None and usage.paid == bill.quantity > 0 and usage.unbilled > 0


@pytest.mark.django_db(transaction=True)
def test_a_licence_was_upgraded_and_waits_to_be_accepted(moving):
    listing, buyer = trading.make_offer(price_minor=80_000).listing, trading.make_verified()
    trading.make_offer(listing, price_minor=560_000)
    opened = clock.now()
    for days_left in (41, 40, 38, 36, 20, 3, 2):
        with clock.moved_to(opened + dt.timedelta(days=41 - days_left)):
            upgraded.about(listing, buyer, days_left)
            hands.work()
    old, new = Trade.objects.filter(buyer=buyer).order_by("pk")
    assert (new.upgrades, new.state, old.state) == (old, TradeState.DELIVERED, TradeState.ACCEPTED)
    assert old.grant.is_close_due and new.price_minor == 560_000 - new.credit_minor < 560_000


def test_the_explanation_names_everybody_and_fits_a_terminal():
    said = explained.explain()
    for house in [*SELLERS, *BUYERS, *APPLICANTS]:
        assert all(person.email in said for person in house.people)
    assert max(len(line) for line in said.splitlines()) <= 120
