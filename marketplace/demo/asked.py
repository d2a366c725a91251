"""What the demo's buyers ask about products, what a seller answered, and a report that waits."""

from __future__ import annotations

from listings import listing_reports, questions
from listings.models import Listing, ListingReport, Question
from marketplace.models import Organisation

ANSWERED = (
    "Is the year of manufacture known for every aircraft? 是否每架飞机都有制造年份？",
    "No. Where it is not known, the cell says NA. 否，年份不详者记为 NA。",
)
OPEN = "Is the speed a cruising speed, and in which unit? 速度是否为巡航速度，单位是什么？"
REPORTED = "Hardly any aircraft has a speed; the manual should say so. 绝大多数飞机没有速度数据，说明书应予注明。"


def about(listing: Listing | None, asking: Organisation) -> None:
    """One question answered, one that waits, and one report; each once."""
    if listing is None or not Listing.objects.on_sale().filter(pk=listing.pk).exists():
        return
    known = {question.text: question for question in Question.objects.filter(listing=listing, asked_for=asking)}
    by = asking.created_by
    for text in (ANSWERED[0], OPEN):
        if text not in known:
            known[text] = questions.ask(listing, asked_for=asking, text=text, by=by)
    if known[ANSWERED[0]].answered_at is None:
        questions.answer(known[ANSWERED[0]], text=ANSWERED[1], by=listing.seller.created_by)
    if not ListingReport.objects.filter(listing=listing, by=by).exists():
        listing_reports.report(listing, category="description", text=REPORTED, by=by)
