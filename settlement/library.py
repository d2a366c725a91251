"""What an organisation has licensed: until when, what it fetched, the papers, and what the same licence costs now.

A licence is the grant of a trade. Each page of them costs a fixed number of SQL statements.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from listings.models import Offer, ReleaseFile
from listings.states import ListingState
from marketplace import clock
from marketplace.models import Organisation, Paper
from settlement import extensions, papers, renewals
from settlement.models import Call, Grant, LicenseeNotice, Receipt, Trade
from settlement.papers import plain_amount
from settlement.states import GrantState

ENDS_SOON_DAYS = 30
KINDS = (
    Paper.Kind.TRADE_CONTRACT,
    Paper.Kind.DELIVERY_RECORD,
    Paper.Kind.ACCEPTANCE,
    Paper.Kind.TRADE_CERTIFICATE,
)
SHOWS = ("valid", "ending", "ended", "all")
AT_ONCE = 500  # rows of a file that are in memory together


@dataclass(frozen=True)
class Licence:
    """One licence as its holder sees it."""

    grant: Grant
    trade: Trade
    days_left: int | None  # None: without end, or not in force
    files: int
    fetched_files: int
    fetched_bytes: int
    last_fetched_at: dt.datetime | None
    calls_used: int  # of those that were bought; 0 where none were
    papers: list[Paper]
    notice: LicenseeNotice | None  # the newest its seller gave since the access opened
    offer: Offer | None  # what extends it: the same offer, or a trial's paid one, where on sale to the holder
    has_newer_release: bool
    renews_on: dt.date | None  # when a standing order buys it again; None: it does not

    @property
    def is_renewable(self) -> bool:
        """Whether a new trade may begin where this licence ends."""
        is_live = self.days_left is not None and self.grant.state in extensions.LIVE
        return is_live and not self.trade.is_metered and not self.trade.offer.instalments

    @property
    def is_buyable(self) -> bool:
        """Whether taking the offer again brings its holder anything: not calls billed monthly, nor what never ends."""
        is_endless = self.grant.state in extensions.LIVE and self.grant.ends_at is None
        return self.offer is not None and not self.trade.is_metered and not is_endless

    @property
    def is_ending(self) -> bool:
        return self.days_left is not None and self.days_left <= ENDS_SOON_DAYS


def condition(show: str) -> Q:
    """Which licences one of SHOWS holds."""
    now = clock.now()
    over = Q(state=GrantState.CLOSED) | Q(is_close_due=True) | extensions.over()
    soon = Q(ends_at__gt=now, ends_at__lte=now + dt.timedelta(days=ENDS_SOON_DAYS))
    return {"valid": ~over, "ending": soon & ~over, "ended": over}.get(show, Q())


def counts(holder: Organisation) -> dict[str, int]:
    """How many each of SHOWS holds. One statement."""
    rows = Grant.objects.visible_to(holder)
    return rows.aggregate(
        **{name: Count("pk", filter=condition(name)) for name in SHOWS if name != "all"}, all=Count("pk")
    )


def held(holder: Organisation, show: str = "all") -> QuerySet[Grant]:
    """The holder's licences: what ends first, then what never does, then what is over, the latest first."""
    receipts = Receipt.objects.filter(grant=OuterRef("pk")).order_by().values("grant")
    calls = Call.objects.filter(grant=OuterRef("pk")).order_by().values("grant")
    files = ReleaseFile.objects.filter(release=OuterRef("trade__release")).order_by().values("release")
    rows = Grant.objects.visible_to(holder).filter(condition(show))
    return (
        rows.select_related(
            "trade__seller",
            "trade__buyer",
            "trade__offer__converts_to",
            "trade__listing",
            "trade__version",
            "trade__release",
            "trade__renewal",
        )  # fmt: skip
        .defer("trade__version__fields", "trade__version__rights", "trade__version__use_scenarios")
        .annotate(
            is_over=condition("ended"),
            files=Coalesce(Subquery(files.annotate(n=Count("pk")).values("n")), 0),
            fetched_files=Coalesce(Subquery(receipts.annotate(n=Count("path", distinct=True)).values("n")), 0),
            fetched_bytes=Coalesce(Subquery(receipts.annotate(n=Sum("size_bytes")).values("n")), 0),
            calls_used=Coalesce(Subquery(calls.annotate(n=Max("number")).values("n")), 0),
            last_fetched_at=Subquery(receipts.annotate(n=Max("at")).values("n")),
        )
        .order_by("is_over", F("ends_at").asc(nulls_last=True), "-pk")
    )


def licences(grants: Sequence[Any], holder: Organisation) -> list[Licence]:
    """These grants with their papers, the newest notice and what may be renewed. Four statements."""
    now = clock.now()
    trades = [grant.trade for grant in grants]
    issued: dict[int, list[Paper]] = {trade.pk: [] for trade in trades}
    for paper in Paper.objects.filter(kind__in=KINDS, subject_kind="trade", subject_id__in=list(issued)).order_by("pk"):
        issued[paper.subject_id].append(paper)
    given = LicenseeNotice.objects.visible_to(holder).filter(listing__in={trade.listing_id for trade in trades})
    newest = {row.listing_id: row for row in given.order_by("listing", "-pk").distinct("listing")}
    open_offers = Offer.objects.visible_to(holder).filter(
        pk__in={extensions.extending(trade.offer).pk for trade in trades}, listing__state=ListingState.LISTED
    )
    on_sale = {offer.pk: offer for offer in open_offers.select_related("listing__current_version")}
    return [
        Licence(
            grant=grant,
            trade=grant.trade,
            days_left=None if grant.is_over or grant.ends_at is None else max(0, (grant.ends_at - now).days),
            files=grant.files,
            fetched_files=grant.fetched_files,
            fetched_bytes=grant.fetched_bytes,
            last_fetched_at=grant.last_fetched_at,
            calls_used=grant.calls_used,
            papers=issued[grant.trade_id],
            notice=_since(newest.get(grant.trade.listing_id), grant),
            offer=(offer := on_sale.get(extensions.extending(grant.trade.offer).pk)),
            has_newer_release=_is_newer(offer, grant.trade),
            renews_on=renewals.renews_on(grant),
        )
        for grant in grants
    ]


def _since(notice: LicenseeNotice | None, grant: Grant) -> LicenseeNotice | None:
    """The notice, if the licence was open when it was given."""
    if notice is None or grant.opened_at is None or notice.given_at < grant.opened_at:
        return None
    return None if grant.closed_at and grant.closed_at <= notice.given_at else notice


def _is_newer(offer: Offer | None, trade: Trade) -> bool:
    """Whether the product on sale holds another release than the one that was licensed."""
    version = offer.listing.current_version if offer else None
    return version is not None and version.release_id is not None and version.release_id != trade.release_id


# --- for spreadsheets ----------------------------------------------------------------------------------------------

LICENCE_COLUMNS = [
    "trade", "register_number", "product", "title", "seller", "offer", "release", "release_digest", "state",
    "opened_at", "ends_at", "days_left", "files", "fetched_files", "fetched_bytes", "last_fetched_at",
    "calls", "calls_used", "contract", "delivery_record", "acceptance", "certificate",
]  # fmt: skip


def licence_rows(holder: Organisation) -> Iterator[list[str]]:
    """Every licence with its papers' numbers, a bounded number in memory at a time."""
    yield LICENCE_COLUMNS
    rows, start = held(holder), 0
    while part := list(rows[start : start + AT_ONCE]):
        numbers = papers.numbers_of(KINDS, [grant.trade for grant in part])
        for licence in licences(part, holder):
            trade, grant, own = licence.trade, licence.grant, numbers[licence.trade.pk]
            yield [
                trade.public_id, trade.register_number or "", trade.listing.public_id, trade.version.title,
                trade.seller.name, trade.offer.name, trade.release.label, trade.release.digest, grant.state,
                _moment(grant.opened_at), _moment(grant.ends_at),
                "" if licence.days_left is None else str(licence.days_left), str(licence.files),
                str(licence.fetched_files), str(licence.fetched_bytes), _moment(licence.last_fetched_at),
                *((str(trade.quantity), str(licence.calls_used)) if trade.quantity else ("", "")),
                *(own.get(kind, "") for kind in KINDS),
            ]  # fmt: skip
        start += AT_ONCE


ORDER_COLUMNS = [
    "trade", "register_number", "state", "product", "title", "seller", "offer", "price", "buyer_fee", "total",
    "currency", "calls", "unit_price", "purchase_order", "purpose", "proposed_at", "agreed_at", "registered_at",
    "funded_at", "delivered_at", "accepted_at", "cleared_at",
    "settled_at", "ended_at", "end_reason",
]  # fmt: skip


def order_rows(buyer: Organisation) -> Iterator[list[str]]:
    """Every order, the newest first, read as they are written."""
    yield ORDER_COLUMNS
    rows = Trade.objects.bought_by(buyer).select_related("listing", "version", "seller", "offer").order_by("-pk")
    for trade in rows.defer("version__fields", "version__rights").iterator(chunk_size=AT_ONCE):
        yield [
            trade.public_id, trade.register_number or "", trade.state, trade.listing.public_id, trade.version.title,
            trade.seller.name, trade.offer.name,
            *(
                plain_amount(minor, trade.currency)
                for minor in (trade.price_minor, trade.buyer_fee_minor, trade.total_minor)
            ),
            trade.currency, str(trade.quantity or ""),
            "" if trade.unit_price_minor is None else plain_amount(trade.unit_price_minor, trade.currency),
            trade.purchase_order, trade.purpose,
            *(
                _moment(getattr(trade, f"{step}_at"))
                for step in (
                    "proposed", "agreed", "registered", "funded", "delivered", "accepted", "cleared", "settled", "ended"
                )
            ),
            trade.end_reason,
        ]  # fmt: skip


def _moment(at: dt.datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
