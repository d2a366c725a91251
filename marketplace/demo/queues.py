"""What waits for somebody when the demo opens, besides trades: applications, reviews, a hold, a bounced payout."""

from __future__ import annotations

from collections.abc import Callable

from compliance import checklists, holds, review_questions, reviews, verification
from compliance.models import Hold, Review
from compliance.states import ReviewState, VerificationState
from listings import publishing
from listings.models import Listing, Version
from listings.states import ListingState
from marketplace.demo import hands, people, products, shelves
from marketplace.demo.cast import APPLICANTS
from marketplace.models import Organisation, User
from settlement.models import PayoutAccount


class Queues:
    """Fills the desks in the last days; each of its acts is done once, however often it is asked for."""

    def __init__(self, houses: dict[str, Organisation], listings: dict[str, Listing], staff: dict[str, User]) -> None:
        self._houses, self._listings, self._staff = houses, listings, staff

    def fill(self, days_left: int) -> None:
        """Whatever has happened this many days before the end."""
        for before, act in self._acts():
            if days_left <= before:
                act()

    def _acts(self) -> list[tuple[int, Callable[[], None]]]:
        return [
            (9, lambda: self._first_manual("nyc_airports")),  # long overdue: nobody took it
            (6, self._applications),
            (6, self._wrong_account),
            (5, self._asked_for_more),
            (5, lambda: self._second_manual("closings", ReviewState.CHANGES_REQUESTED)),
            (4, lambda: self._second_manual("partners", ReviewState.SECONDED)),
            (3, lambda: self._second_manual("metro", ReviewState.TAKEN)),
            (3, self._hold),
            (1, lambda: self._first_manual("medicine_prices")),
        ]

    def _applications(self) -> None:
        for house in APPLICANTS:
            people.applied(people.house(house))

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
            hands.measure()
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
                reason="A buyer asks how small counts were rounded. 有买方询问小计数的处理方式，核查期间暂停交易。",
                by=self._staff["review"],
            )
