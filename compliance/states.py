"""The maps of moves of a verification and of a review: `{state: {act: next state}}`."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.guards import Moves


class VerificationState(models.TextChoices):
    APPLIED = "applied", _("Applied")
    MORE_REQUESTED = "more_requested", _("More information requested")
    VERIFIED = "verified", _("Verified")
    SUSPENDED = "suspended", _("Suspended")
    REFUSED = "refused", _("Refused")
    EXPELLED = "expelled", _("Expelled")


class ReviewState(models.TextChoices):
    OPEN = "open", _("Waiting for a reviewer")
    TAKEN = "taken", _("In review")
    SECONDED = "seconded", _("Approved by one, waiting for the second")
    APPROVED = "approved", _("Approved")
    CHANGES_REQUESTED = "changes_requested", _("Changes requested")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Taken back by the seller")


V, R = VerificationState, ReviewState
IN_HAND = (R.TAKEN, R.SECONDED)  # somebody of the staff reads it

VERIFICATION_MOVES: Moves = {
    V.APPLIED: {"request_more": V.MORE_REQUESTED, "approve": V.VERIFIED, "refuse": V.REFUSED},
    V.MORE_REQUESTED: {"apply": V.APPLIED, "refuse": V.REFUSED},
    V.VERIFIED: {"suspend": V.SUSPENDED, "expel": V.EXPELLED},
    V.SUSPENDED: {"reinstate": V.VERIFIED, "expel": V.EXPELLED},
    V.REFUSED: {"apply": V.APPLIED},
    V.EXPELLED: {},
}

REVIEW_MOVES: Moves = {
    R.OPEN: {"take": R.TAKEN, "take_back": R.WITHDRAWN},
    R.TAKEN: {
        "approve": R.SECONDED,
        "request_changes": R.CHANGES_REQUESTED,
        "refuse": R.REFUSED,
        "take_back": R.WITHDRAWN,
    },
    R.SECONDED: {
        "approve_second": R.APPROVED,
        "request_changes": R.CHANGES_REQUESTED,
        "refuse": R.REFUSED,
        "take_back": R.WITHDRAWN,
    },
    R.APPROVED: {},
    R.CHANGES_REQUESTED: {},
    R.REFUSED: {},
    R.WITHDRAWN: {},
}
