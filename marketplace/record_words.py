"""What a record and several are called where the staff look through them, of models that do not say it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

CALLED: dict[str, tuple[_StrPromise, _StrPromise]] = {
    "compliance.Declaration": (pgettext_lazy("record", "declaration"), pgettext_lazy("record", "declarations")),
    "compliance.DossierSection": (
        pgettext_lazy("record", "section of a dossier"),
        pgettext_lazy("record", "sections of dossiers"),
    ),
    "compliance.Note": (pgettext_lazy("record", "note of the staff"), pgettext_lazy("record", "notes of the staff")),
    "compliance.ProofPicture": (
        pgettext_lazy("record", "picture of a paper"),
        pgettext_lazy("record", "pictures of papers"),
    ),
    "compliance.TierDecision": (
        pgettext_lazy("record", "decision on a tier"),
        pgettext_lazy("record", "decisions on tiers"),
    ),
    "listings.CountedBatch": (pgettext_lazy("record", "counted batch"), pgettext_lazy("record", "counted batches")),
    "listings.Quota": (pgettext_lazy("record", "quota"), pgettext_lazy("record", "quotas")),
    "settlement.RefundMending": (
        pgettext_lazy("record", "mended refund"),
        pgettext_lazy("record", "mended refunds"),
    ),
}
