"""What waits for somebody when the demo opens, besides trades: applications, reviews, a hold, a bounced payout."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from compliance import checklists, dossier, holds, review_questions, reviews, verification
from compliance.models import FactChange, Hold, Review
from compliance.states import ReviewState, VerificationState
from listings import objections, product_papers, publishing
from listings.models import Listing, Objection, Registration, Version
from listings.states import ListingState
from marketplace import clock, documents
from marketplace.demo import asked, lowered, metered, needed, people, products, shelves, shown, tried, upgraded
from marketplace.demo.cast import APPLICANTS
from marketplace.models import Organisation, Revocation, User
from settlement import netting, payout_accounts, reserve_terms, splits
from settlement.models import PayoutAccount, RevenueShare, RevenueSplit

PUBLICITY_DAYS = 20
OBJECTIONS_FILED = {
    "institute": "These figures look like an almanac's, and are not. 数据形似潮汐表，实非实测。",
    "peak": "One of the gauges bears the name of ours. 其中一座验潮站与本公司站点同名。",
}


@contextmanager
def _made_public_for(days: int) -> Iterator[None]:
    """Let the exchange make what it registers public for so many days before it is listed."""
    before, settings.PUBLICITY_DAYS = settings.PUBLICITY_DAYS, days
    try:
        yield
    finally:
        settings.PUBLICITY_DAYS = before


class Queues:
    """Fills the desks in the last days; each of its acts is done once, however often it is asked for."""

    def __init__(self, houses: dict[str, Organisation], listings: dict[str, Listing], staff: dict[str, User]) -> None:
        self._houses, self._listings, self._staff = houses, listings, staff
        self._tiered: set[str] = set()

    def fill(self, days_left: int) -> None:
        """Whatever has happened this many days before the end."""
        for before, act in self._acts():
            if days_left <= before:
                act()
        tried.about(self._listings.get("prices"), self._houses, days_left)
        metered.about(self._listings.get("flights"), self._houses.get("lion"), days_left)
        upgraded.about(self._listings.get("airports"), self._houses.get("logistics"), days_left)

    def _acts(self) -> list[tuple[int, Callable[[], None]]]:
        return [
            (60, self._shared_revenue),
            (45, self._reserve),
            (40, self._tiers),
            (20, shown.entries),
            (12, lambda: lowered.by(10, self._listings.get("workdays"), days=6)),
            (11, self._netting),
            (10, self._made_public),
            (9, lambda: self._first_manual("nyc_airports")),  # long overdue: nobody took it
            (6, self._applications),
            (6, self._wrong_account),
            (5, lambda: lowered.by(25, self._listings.get("metro"), days=24)),
            (5, lambda: lowered.by(15, self._listings.get("flights"), days=40, place=3)),
            (5, self._asked_for_more),
            (5, lambda: self._second_manual("closings", ReviewState.CHANGES_REQUESTED)),
            (4, lambda: self._second_manual("partners", ReviewState.SECONDED)),
            (3, lambda: self._second_manual("metro", ReviewState.TAKEN)),
            (3, self._hold),
            (4, self._approved_once),
            (3, self._changed_fact),
            (2, self._revocation),
            (2, self._changed_account),
            (2, self._share_to_agree_to),
            (2, lambda: asked.about(self._listings.get("planes"), self._houses["peak"])),
            (2, lambda: lowered.quoted(self._listings.get("metro"), self._houses["peak"])),
            (2, lambda: needed.posted(self._houses, self._listings, self._staff)),
            (1, lambda: self._first_manual("medicine_prices")),
        ]

    def _shared_revenue(self) -> None:
        """The flights pass on a part of what they bring: to the airports they name, and to an institute."""
        flights, airports = (self._on_sale(key) for key in ("flights", "airports"))
        if flights is None or airports is None or splits.in_force(flights):
            return
        upstream = splits.Wanted(RevenueShare.Kind.UPSTREAM, 800, upstream=airports)
        split = self._split(flights, upstream, splits.Wanted(RevenueShare.Kind.RIGHT_HOLDER, 500, self._institute))
        for payee in (airports.seller, self._institute):
            if splits.waiting_for(payee).filter(split=split).exists():
                splits.agree(split, payee=payee, by=payee.created_by)

    def _reserve(self) -> None:
        """A tenth of what the seller of the flights gets is kept back for thirty days."""
        if (flights := self._on_sale("flights")) and not flights.seller.reserve_terms.exists():
            terms = reserve_terms.ask(
                flights.seller,
                basis_points=1_000,
                days=30,
                begins_on=clock.today() + dt.timedelta(days=1),
                reason="A new product with large sales. 新产品，销售额较大。",
                by=self._staff["clearing"],
            )
            reserve_terms.confirm(terms, by=self._staff["clearing2"])

    def _netting(self) -> None:
        """A seller asks to be paid net; the clearing desk is to decide."""
        if (seller := self._houses.get("shipping")) and netting.current(seller) is None:
            netting.ask(seller, by=seller.created_by)

    def _share_to_agree_to(self) -> None:
        """A share of another product waits for the institute's word."""
        if stations := self._on_sale("stations"):
            self._split(stations, splits.Wanted(RevenueShare.Kind.RIGHT_HOLDER, 1_000, self._institute))

    @property
    def _institute(self) -> Organisation:
        return self._houses["institute"]

    def _on_sale(self, key: str) -> Listing | None:
        of_key = Listing.objects.on_sale().select_related("seller__created_by")
        return of_key.filter(pk=self._listings[key].pk).first() if key in self._listings else None

    def _split(self, listing: Listing, *shares: splits.Wanted) -> RevenueSplit:
        found = RevenueSplit.objects.filter(listing=listing).first()
        return found or splits.propose(listing, shares, by=listing.seller.created_by)

    def _applications(self) -> None:
        for house in APPLICANTS:
            organisation = people.house(house)
            if organisation.proofs.count() == 0 and house.is_seller:
                shown.papers(house, organisation, expires_on=clock.today() + dt.timedelta(days=900))
            people.applied(organisation)

    def _approved_once(self) -> None:
        """The last applicant has one approval and needs another."""
        standing = people.applied(people.house(APPLICANTS[-1]))
        people.approved_once(standing, self._staff)

    def _revocation(self) -> None:
        """One of the staff asks that a certificate be revoked, which another has to confirm."""
        key = "metro" if "metro" in self._listings else next(iter(self._listings))
        registration = Registration.objects.filter(version__listing=self._listings[key]).order_by("pk").first()
        papers = product_papers.certificates_of(registration) if registration else []
        if papers and not Revocation.objects.exists():
            reason = "The holder's name was misspelt; a new one was issued. 持有人名称有误，已另发新证。"
            documents.ask_revocation(papers[0], reason=reason, by=self._staff["review"])

    def _tiers(self) -> None:
        for key, organisation in self._houses.items():
            if key not in self._tiered:
                people.tiered(organisation, self._staff)
                self._tiered.add(key)

    def _changed_fact(self) -> None:
        """A verified member has a new security contact, which the exchange vets anew."""
        member = self._houses.get("atlas")
        if member and not FactChange.objects.filter(organisation=member).exists():
            contacts = people.house_of(member).told()["contacts"] | {"security_name": "Night watch 夜班"}
            dossier.tell(member, "contacts", contacts, by=member.created_by)

    def _changed_account(self) -> None:
        """A seller without a second person for its money names another account; the exchange is to confirm it."""
        seller, reference = self._houses.get("pearl"), "demo-second-account"
        if seller and not PayoutAccount.objects.filter(organisation=seller, reference=reference).exists():
            payout_accounts.name(
                seller, gateway_name=str(settings.DEFAULT_GATEWAY), reference=reference, by=seller.created_by
            )

    def _made_public(self) -> None:
        """A registration that is public for a while before its listing: an objection was dismissed, another waits."""
        product = next(one for one in products.waiting() if one.key == "tides")
        seller = self._houses.get(product.seller)
        if seller is None:
            return
        listing = shelves.uploaded(product, seller)
        first = listing.versions.order_by("number")[0]
        shelves.submitted(first)
        if not Registration.objects.filter(version=first).exists():
            with _made_public_for(PUBLICITY_DAYS):
                shelves.approved(first, self._staff)
        registration = Registration.objects.get(version=first)
        for house, reason in OBJECTIONS_FILED.items():
            by = self._houses[house].created_by
            if not Objection.objects.filter(registration=registration, by=by).exists():
                objections.file(registration, reason=reason, by=by)
        settled = Objection.objects.get(registration=registration, by=self._houses["institute"].created_by)
        if settled.decided_at is None:
            words = "The title says that it is simulated. 标题已注明为模拟数据。"
            objections.dismiss(settled, decision=words, by=self._staff["disputes"])

    def _asked_for_more(self) -> None:
        standing = people.applied(people.house(APPLICANTS[1]))
        if standing.state == VerificationState.APPLIED and not standing.decisions.exists():
            verification.request_more(
                standing,
                reason_code="document_unclear",
                reason="The copy of the business registration cannot be read. 商業登記證副本未能閱讀，請重新提交。",
                by=self._staff["vetting"],
            )

    def _wrong_account(self) -> None:
        """The seller names an account its bank refuses, so that the next payout comes back."""
        seller, reference = self._houses.get("finance"), "bounce-closed-account"
        if seller and not PayoutAccount.objects.filter(organisation=seller, reference=reference).exists():
            people.paid_to(seller, reference, self._staff)

    def _first_manual(self, key: str) -> None:
        product = next(one for one in products.waiting() if one.key == key)
        if product.seller in self._houses:
            listing = shelves.uploaded(product, self._houses[product.seller])
            shelves.submitted(listing.versions.order_by("-number")[0])

    def _second_manual(self, key: str, state: ReviewState) -> None:
        """A new version of something on sale, as far through its review as `state`."""
        if key not in self._listings:
            return
        listing = Listing.objects.select_related("seller").get(pk=self._listings[key].pk)
        if listing.state != ListingState.LISTED or listing.versions.count() > 1 and self._is_so_far(listing, state):
            return
        version = listing.versions.order_by("-number")[0]
        if version.number == 1:
            by = listing.seller.created_by
            said = version.use_scenarios + "\nAlso for planning a quarter ahead. 也可用于提前一个季度的规划。"
            version = publishing.edit(publishing.draft(listing, by=by), by=by, use_scenarios=said)
        shelves.submitted(version)
        self._review(version, state)

    def _is_so_far(self, listing: Listing, state: ReviewState) -> bool:
        newest = Review.objects.filter(version__listing=listing).order_by("-pk").first()
        is_asked = state != ReviewState.TAKEN or newest is not None and newest.questions.exists()
        return newest is not None and newest.state == state and is_asked

    def _review(self, version: Version, state: ReviewState) -> None:
        officer = self._staff["review"]
        review = Review.objects.get(version=version)
        if review.state == ReviewState.OPEN:
            review = reviews.take(review, by=officer)
        if review.state == ReviewState.TAKEN == state and not review.questions.exists():
            asked = "Which quarter is meant: the calendar's or the airlines' season? 「季度」指曆季還是航季？"
            review_questions.ask(review, field="use_scenarios", question=asked, by=officer)
        if review.state == ReviewState.TAKEN and state == ReviewState.SECONDED:
            reviews.approve(review, answers=checklists.all_yes(reviews.checklist_of(review)), by=officer)
        if review.state == ReviewState.TAKEN and state == ReviewState.CHANGES_REQUESTED:
            reviews.request_changes(
                review,
                reason_code="manual_unclear",
                reason="Say whether days of early closing are counted. 请说明提前收市的交易日是否计入。",
                by=officer,
            )

    def _hold(self) -> None:
        listing = self._listings.get("clinic")
        if listing and not Hold.objects.filter(subject_kind="listing", subject_id=listing.pk).exists():
            holds.place(
                "listing",
                listing.pk,
                reason_code="complaint",
                reason="A buyer asks how small counts were rounded. 有需方询问小计数的处理方式，核查期间暂停交易。",
                by=self._staff["review"],
            )
