"""The demo exchange: opened by the same commands a member would use, carried by the tasks the workers run.

Safe to run again: whatever is there already is left as it is, so an opening that was cut off goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings

from compliance import checklists, exchange_rules, reviews, verification
from compliance.models import Review, Verification
from compliance.states import ReviewState, VerificationState
from listings import offers, publishing, terms, uploads
from listings.models import Listing, Offer, Profile, Version
from listings.states import ProfileState, VersionState
from marketplace import participants
from marketplace.demo import hands
from marketplace.demo.cast import HOUSES, PASSWORD, STAFF, House, Person
from marketplace.demo.products import PRODUCTS, WAITING, Product
from marketplace.models import Organisation, User
from settlement import clearing, payouts, trades
from settlement.gateways import sandbox_bank
from settlement.models import ClearingCycle, PayoutAccount, Trade
from settlement.states import CycleState, TradeState

Say = Callable[[str], None]


class CannotOpen(Exception):
    """Something did not come about that the demo is made of."""


def open_exchange(say: Say) -> None:
    """Open the demo; `say` is told each step. Raises CannotOpen."""
    staff = {person.email.split("@")[0]: _person(person, is_staff=True) for person in STAFF}
    houses = {house.key: _house(house, staff) for house in HOUSES}
    say(f"{len(HOUSES)} organisations, {sum(house.is_verified for house in HOUSES)} of them vetted by two people each")
    listings = {product.key: _uploaded(product, houses[product.seller]) for product in [*PRODUCTS, WAITING]}
    say(f"{len(listings)} products with their files uploaded; they are measured now")
    hands.measure()
    for product in [*PRODUCTS, WAITING]:
        _submitted(product, listings[product.key])
    for product in PRODUCTS:
        _approved(listings[product.key], staff)
        hands.register()
        say(f"“{product.manual['titles']['en']}” is registered and listed")
        for plan in product.offers:
            _offered(listings[product.key], plan)
    _whole_trade(listings["airports"], houses["peak"], staff, say)
    _waiting_trade(listings["flights"], houses["logistics"], say)
    _proposal(listings["planes"], houses["logistics"])
    say("the demo exchange is open")


def explain() -> str:
    """Who is who, and what to try."""
    lines = ["The demo exchange: everyone signs in with the password", f"    {PASSWORD}", "", "Members"]
    for house in HOUSES:
        lines.append(f"  {house.latin_name} ({house.name}): {house.says}")
        lines += [f"    {person.email:36} {person.role}" for person in house.people]
    lines += ["", "Staff of the exchange (their desks are at /admin/)"]
    lines += [f"    {person.email:36} {person.role}" for person in STAFF]
    lines += [
        "",
        "What to try",
        "  as buyer@pujiang.example: open Orders, download the flights, accept them",
        "  as seller@lingang-aviation.example: agree to the proposal for the aircraft",
        "  as vetting@ and then vetting2@exchange.example: vet Pearl River Weather",
        "  as review@ and then review2@exchange.example: approve “Airports served from New York”",
        "  as clearing@exchange.example: close the cycle and release it",
        "  without signing in: check the certificate of the airports trade at /verify/",
    ]
    return "\n".join(lines)


# --- people and organisations --------------------------------------------------------------------------------------


def _person(person: Person, *, is_staff: bool = False) -> User:
    found = User.objects.filter(email=person.email).first()
    if found:
        return found
    roles = [person.role] if is_staff else []
    user = User.objects.create_user(person.email, PASSWORD, name=person.name, is_staff=is_staff, staff_roles=roles)
    EmailAddress.objects.create(user=user, email=person.email, verified=True, primary=True)
    return user


def _house(house: House, staff: dict[str, User]) -> Organisation:
    owner = _person(house.people[0])
    organisation = Organisation.objects.filter(registration_number=house.registration_number).first()
    if organisation is None:
        organisation = participants.register_organisation(
            kinds=house.kinds,
            name=house.name,
            latin_name=house.latin_name,
            country=house.country,
            region=house.region,
            number_kind=house.number_kind,
            registration_number=house.registration_number,
            by=owner,
        )
    for person in house.people[1:]:
        user = _person(person)
        if user.role_in(organisation) is None:
            _invitation, secret = participants.invite(organisation, email=person.email, role=person.role, by=owner)
            participants.accept_invitation(secret, by=user)
    standing = Verification.objects.filter(organisation=organisation).first()
    if standing is None:
        standing = verification.apply(organisation, rules_version=exchange_rules.CURRENT_VERSION, by=owner)
    if house.is_verified and standing.state == VerificationState.APPLIED:
        decision = standing.decisions.filter(decided_at=None, dropped_at=None).first() or verification.propose(
            standing,
            "approve",
            reason_code="checks_passed",
            reason="The register, the legal representative and the bank account were checked.",
            by=staff["vetting"],
        )
        verification.confirm(decision, by=staff["vetting2"])
    if (
        "supplier" in house.kinds
        and house.is_verified
        and not PayoutAccount.objects.filter(organisation=organisation).exists()
    ):
        account = f"demo-{house.key}"
        payouts.set_account(organisation, gateway_name=str(settings.DEFAULT_GATEWAY), reference=account, by=owner)
    return organisation


# --- products ------------------------------------------------------------------------------------------------------


def _uploaded(product: Product, seller: Organisation) -> Listing:
    """The product's listing with a sealed release; its newest version names it."""
    by = seller.created_by
    version = (
        Version.objects.filter(listing__seller=seller, titles__en=product.manual["titles"]["en"])
        .order_by("-pk")
        .first()
    )
    if version is None:
        listing = publishing.create_listing(seller=seller, product_type="dataset", by=by)
        version = publishing.edit(publishing.draft(listing, by=by), by=by, **product.manual)
    listing = version.listing
    release = listing.releases.first() or uploads.open_release(listing, label="1", notes="First release.", by=by)
    if release.sealed_at is None:
        if not release.files.exists():
            with product.opened() as stream:
                uploads.put_file(release, path=product.file_name, stream=stream, by=by)
        release = uploads.seal_release(release, by=by)
    if version.state == VersionState.DRAFT:
        described = [
            {"name": name, "type": "", "meaning": name.replace("_", " "), "unit": ""} for name in product.columns()
        ]
        publishing.edit(version, by=by, release=release, fields=described)
    return listing


def _submitted(product: Product, listing: Listing) -> None:
    version = listing.versions.order_by("-number")[0]
    if version.state != VersionState.DRAFT:
        return
    _require_measured(listing)
    reviews.submit(version, by=listing.seller.created_by)


def _approved(listing: Listing, staff: dict[str, User]) -> None:
    review = Review.objects.get(version=listing.versions.order_by("-number")[0])
    if review.state == ReviewState.OPEN:
        review = reviews.take(review, by=staff["review"])
    answers = checklists.all_yes(reviews.checklist_of(review))
    if review.state == ReviewState.TAKEN:
        review = reviews.approve(review, answers=answers, by=staff["review"])
    if review.state == ReviewState.SECONDED:
        reviews.approve(review, answers=answers, by=staff["review2"])


def _offered(listing: Listing, plan: dict[str, Any]) -> Offer:
    found = listing.offers.filter(name=plan["name"]).first()
    if found:
        return found
    agreed = {**terms.default_terms(), **plan["terms"]}
    return offers.make_offer(listing, by=listing.seller.created_by, **{**plan, "terms": agreed})


def _require_measured(listing: Listing) -> None:
    profile = Profile.objects.get(release__listing=listing)
    if profile.state != ProfileState.DONE:
        raise CannotOpen(f"the files of {listing} could not be measured: {profile.error}")


# --- trades --------------------------------------------------------------------------------------------------------


def _traded(listing: Listing, buyer: Organisation, purpose: str) -> Trade:
    offer = listing.offers.order_by("price_minor")[0]
    found = Trade.objects.filter(offer=offer, buyer=buyer).first()
    return found or trades.propose(offer, buyer=buyer, purpose=purpose, by=buyer.created_by)


def _delivered(trade: Trade, say: Say) -> None:
    """Pay as the bank's customer does; it is delivered."""
    hands.work()
    payment = trade.payments.get()
    if "pay" in sandbox_bank.possible_acts(sandbox_bank.order(payment.reference)):
        sandbox_bank.act(payment.reference, "pay")
    hands.work()
    say(f"trade {trade.public_id} is paid and delivered")


def _whole_trade(listing: Listing, buyer: Organisation, staff: dict[str, User], say: Say) -> None:
    """One trade that goes all the way to its certificate."""
    trade = _traded(listing, buyer, "Mapping of air cargo routes for our own reports.")
    _delivered(trade, say)
    trade.refresh_from_db()
    if trade.state == TradeState.DELIVERED:
        trades.accept(trade, by=buyer.created_by)
    trade.refresh_from_db()
    if trade.state == TradeState.ACCEPTED:
        if trade.cycle is None:
            clearing.close(clearing.open_cycle(), by=staff["clearing"])
        trade.refresh_from_db()
        _release(trade.cycle, staff)
    hands.work()
    hands.tidy()
    say("it is cleared, paid out and certified")


def _release(cycle: ClearingCycle | None, staff: dict[str, User]) -> None:
    """Staff release the cycle, unless the workers did so already."""
    if cycle is not None and cycle.state == CycleState.CLOSED:
        try:
            trades.release(cycle, by=staff["clearing"])
        except trades.WrongState:
            cycle.refresh_from_db()
            if cycle.state != CycleState.RELEASED:
                raise


def _waiting_trade(listing: Listing, buyer: Organisation, say: Say) -> None:
    """One trade that waits for its buyer's inspection."""
    _delivered(_traded(listing, buyer, "Training of our delay model."), say)


def _proposal(listing: Listing, buyer: Organisation) -> None:
    """One proposal that waits for its seller."""
    _traded(listing, buyer, "Fleet age statistics.")
