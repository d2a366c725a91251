"""The API of sellers: their products, manuals, releases and offers. Rules live in the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from listings import dictionary, manual, offers, publishing, tasks, uploads
from listings.models import Listing, Offer, Release, Version
from listings.presented import (
    ListingIn,
    ListingOut,
    ListingReasonIn,
    ManualIn,
    OfferIn,
    OwnOfferOut,
    ProfileOut,
    ReleaseIn,
    ReleaseInFullOut,
    ReleaseOut,
    VersionOut,
)
from listings.states import ListingState
from marketplace import roles
from marketplace.api import acted, read
from marketplace.bells import ring
from marketplace.errors import Invalid, NotReady
from marketplace.models import Organisation
from marketplace.participants import acting_organisation


def own_listing(request: Request, public_id: str) -> Listing:
    """A product of the organisation acted for; 404 for any other."""
    own = Listing.objects.sold_by(acting_organisation(request)).select_related("seller", "current_version")
    return get_object_or_404(own, public_id=public_id)


def own_version(request: Request, public_id: str, number: int) -> Version:
    versions = own_listing(request, public_id).versions.select_related("listing__seller", "release", "registration")
    return get_object_or_404(versions, number=number)


def own_release(request: Request, public_id: str, release_id: int) -> Release:
    releases = own_listing(request, public_id).releases.select_related("listing__seller", "profile")
    return get_object_or_404(releases, pk=release_id)


# --- products ------------------------------------------------------------------------------------------------------


class Listings(ListAPIView):
    """The products your organisation sells, in any state."""

    scope = "sell"
    serializer_class = ListingOut
    queryset = Listing.objects.none()

    def get_queryset(self) -> QuerySet[Listing]:
        own = Listing.objects.sold_by(acting_organisation(self.request)).select_related("current_version")
        state = self.request.query_params.get("state", "")
        if state and state not in ListingState.values:
            raise Invalid(_("state is one of %(known)s."), code="wrong_filter", known=", ".join(ListingState.values))
        return own.filter(state=state) if state else own

    @extend_schema(parameters=[OpenApiParameter("state", enum=ListingState.values)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your products, the newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=ListingIn, responses={201: ListingOut})
    def post(self, request: Request) -> Response:
        """Begin a product. It is unlisted until a version of its manual was approved and registered."""
        seller, body = acting_organisation(request), read(ListingIn, request)
        create = partial(publishing.create_listing, seller=seller, by=request.user, **body)
        return acted(request, seller, body, lambda: ListingOut(create()).data, status=201)


class OneListing(APIView):
    """One of your products."""

    @extend_schema(responses=ListingOut)
    def get(self, request: Request, public_id: str) -> Response:
        return Response(ListingOut(own_listing(request, public_id)).data)


class ListingWithdrawal(APIView):
    """The end of a product."""

    scope = "sell"

    @extend_schema(request=ListingReasonIn, responses=ListingOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Take a product off sale for ever, its offers too. Trades under way go on."""
        listing, body = own_listing(request, public_id), read(ListingReasonIn, request)
        withdraw = partial(publishing.withdraw, listing, by=request.user, **body)
        return acted(request, listing.seller, body, lambda: ListingOut(withdraw()).data)


class _StaffAct(APIView):
    """An act of the staff on any product that was ever on sale."""

    scope = "staff"

    def act(
        self, request: Request, public_id: str, body: Mapping[str, Any], command: Callable[..., Listing]
    ) -> Response:
        roles.require_staff(request.user, "suspend_listing")
        listing = get_object_or_404(Listing.objects.select_related("seller", "current_version"), public_id=public_id)
        return acted(request, None, body, lambda: ListingOut(command(listing, by=request.user, **body)).data)


class ListingSuspension(_StaffAct):
    """A stop of new trades."""

    @extend_schema(request=ListingReasonIn, responses=ListingOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Suspend a product. For the staff who review."""
        return self.act(request, public_id, read(ListingReasonIn, request), publishing.suspend)


class ListingResumption(_StaffAct):
    """The end of a stop."""

    @extend_schema(request=None, responses=ListingOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Put a suspended product back on sale. For the staff who review."""
        return self.act(request, public_id, {}, publishing.resume)


# --- manuals -------------------------------------------------------------------------------------------------------


class Versions(ListAPIView):
    """The versions of a product's manual."""

    scope = "sell"
    serializer_class = VersionOut
    queryset = Version.objects.none()

    def get_queryset(self) -> QuerySet[Version]:
        listing = own_listing(self.request, self.kwargs["public_id"])
        return listing.versions.select_related("registration", "release__profile", "listing").order_by("-pk")

    @extend_schema(request=None, responses={201: VersionOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Open a draft: a copy of the latest version, or the draft that is open already."""
        listing = own_listing(request, public_id)
        draft = partial(publishing.draft, listing, by=request.user)
        return acted(request, listing.seller, {}, lambda: VersionOut(draft()).data, status=201)


class OneVersion(APIView):
    """One version of a manual; a draft says what it still lacks."""

    scope = "sell"

    @extend_schema(responses=VersionOut)
    def get(self, request: Request, public_id: str, number: int) -> Response:
        return Response(VersionOut(own_version(request, public_id, number)).data)

    @extend_schema(request=ManualIn, responses=VersionOut)
    def patch(self, request: Request, public_id: str, number: int) -> Response:
        """Change fields of a draft. Either all of them are changed, or none."""
        version = own_version(request, public_id, number)
        if not isinstance(request.data, dict):
            raise ParseError("Send a JSON object of the fields to change.")
        fields = dict(request.data)
        if fields.get("release") is not None:
            fields["release"] = _release_of(version, fields["release"])
        publishing.edit(version, by=request.user, **manual.cleaned(fields))
        return Response(VersionOut(own_version(request, public_id, number)).data)


class VersionDictionary(APIView):
    """A draft's field dictionary, begun from what was measured."""

    scope = "sell"

    @extend_schema(request=None, responses=VersionOut)
    def post(self, request: Request, public_id: str, number: int) -> Response:
        """Add a field for every measured column that has none, and fill type, unit and example where left empty.

        Nothing that was written is changed, and meanings stay to be written.
        """
        version = own_version(request, public_id, number)

        def draft() -> Mapping[str, Any]:
            dictionary.draft_from_profile(version, by=request.user)
            return VersionOut(own_version(request, public_id, number)).data

        return acted(request, version.listing.seller, {}, draft)


def _release_of(version: Version, given: object) -> Release:
    release = None
    if isinstance(given, int) and not isinstance(given, bool) and given < 2**63:
        release = version.listing.releases.filter(pk=given).first()
    if release is None:
        detail = gettext("This product has no such release.")
        reason = {"code": "wrong_release", "detail": detail, "field": "release"}
        raise Invalid(detail, code="wrong_manual", reasons=[reason])
    return release


# --- releases ------------------------------------------------------------------------------------------------------


class Releases(ListAPIView):
    """The releases of a product."""

    scope = "sell"
    serializer_class = ReleaseOut
    queryset = Release.objects.none()

    def get_queryset(self) -> QuerySet[Release]:
        return own_listing(self.request, self.kwargs["public_id"]).releases.all()

    @extend_schema(request=ReleaseIn, responses={201: ReleaseOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Open a release that files can be sent to."""
        listing, body = own_listing(request, public_id), read(ReleaseIn, request)
        open_release = partial(uploads.open_release, listing, by=request.user, **body)
        return acted(request, listing.seller, body, lambda: ReleaseOut(open_release()).data, status=201)


class OneRelease(APIView):
    """A release with its files and what is still on its way in."""

    @extend_schema(responses=ReleaseInFullOut)
    def get(self, request: Request, public_id: str, release_id: int) -> Response:
        return Response(ReleaseInFullOut(own_release(request, public_id, release_id)).data)


class ReleaseSeal(APIView):
    """The closing of a release."""

    scope = "sell"

    @extend_schema(request=None, responses=ReleaseOut)
    def post(self, request: Request, public_id: str, release_id: int) -> Response:
        """Close a release for ever under the digest of its files; the exchange then measures it."""
        release = own_release(request, public_id, release_id)
        seal = partial(uploads.seal_release, release, by=request.user)
        answer = acted(request, release.listing.seller, {}, lambda: ReleaseOut(seal()).data)
        ring(tasks.profile_releases)
        return answer


class ReleaseProfile(APIView):
    """What the exchange measured of a release."""

    @extend_schema(responses=ProfileOut)
    def get(self, request: Request, public_id: str, release_id: int) -> Response:
        profile = getattr(own_release(request, public_id, release_id), "profile", None)
        if profile is None:
            raise NotReady(_("This release is open; it is measured once it is sealed."), next=_("Seal the release."))
        return Response(ProfileOut(profile).data)


# --- offers --------------------------------------------------------------------------------------------------------


class Offers(ListAPIView):
    """The offers of a product, closed ones included."""

    scope = "sell"
    serializer_class = OwnOfferOut
    queryset = Offer.objects.none()

    def get_queryset(self) -> QuerySet[Offer]:
        listing = own_listing(self.request, self.kwargs["public_id"])
        offers = listing.offers.with_discounts().select_related("listing", "converts_to")
        return offers.prefetch_related("buyers")

    @extend_schema(request=OfferIn, responses={201: OwnOfferOut})
    def post(self, request: Request, public_id: str) -> Response:
        """Offer the product. An offer never changes; close it and make another."""
        listing, body = own_listing(request, public_id), read(OfferIn, request)
        facts = body | {"buyers": _buyers(body["buyers"]), "converts_to": _paid_offer(listing, body["converts_to"])}
        make = partial(offers.make_offer, listing, by=request.user, **facts)
        return acted(request, listing.seller, body, lambda: OwnOfferOut(make()).data, status=201)


class OfferClosing(APIView):
    """The end of an offer."""

    scope = "sell"

    @extend_schema(request=None, responses=OwnOfferOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Take an offer off sale; trades made under it go on."""
        own = Offer.objects.filter(listing__seller=acting_organisation(request)).select_related("listing__seller")
        offer = get_object_or_404(own, public_id=public_id)
        close = partial(offers.close_offer, offer, by=request.user)
        return acted(request, offer.listing.seller, {}, lambda: OwnOfferOut(close()).data)


def _paid_offer(listing: Listing, public_id: str) -> Offer | None:
    """The offer of this product a trial names. Raises Invalid where there is none."""
    found = listing.offers.filter(public_id=public_id).first() if public_id else None
    if public_id and found is None:
        detail = gettext("This product has no such offer.")
        reason = {"code": "wrong_converts_to", "detail": detail, "field": "converts_to"}
        raise Invalid(detail, code="wrong_offer", reasons=[reason])
    return found


def _buyers(public_ids: list[str]) -> list[Organisation]:
    """Raises Invalid, naming the one nobody knows."""
    if len(public_ids) > offers.MOST_NAMED_BUYERS:
        raise Invalid(
            _("Name at most %(most_named_buyers)s buyers."),
            code="wrong_offer",
            most_named_buyers=offers.MOST_NAMED_BUYERS,
        )
    known = {one.public_id: one for one in Organisation.objects.filter(public_id__in=public_ids)}
    unknown = next((public_id for public_id in public_ids if public_id not in known), None)
    if unknown is not None:
        detail = gettext("There is no organisation %(unknown)s.") % {"unknown": repr(unknown)}
        raise Invalid(
            detail, code="wrong_offer", reasons=[{"code": "wrong_buyers", "detail": detail, "field": "buyers"}]
        )
    return [known[public_id] for public_id in public_ids]
