"""The maps of moves of a verification, a review, a demand and an answer to one: `{state: {act: next state}}`."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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


class DemandState(models.TextChoices):
    OPEN = "open", pgettext_lazy("demand", "Open")
    MET = "met", pgettext_lazy("demand", "Met")
    CLOSED = "closed", pgettext_lazy("demand", "Closed")
    LAPSED = "lapsed", pgettext_lazy("demand", "Lapsed")


class ResponseState(models.TextChoices):
    OPEN = "open", pgettext_lazy("answer to a demand", "Open")
    DECLINED = "declined", pgettext_lazy("answer to a demand", "Declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("answer to a demand", "Taken back")


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

DEMAND_MOVES: Moves = {
    DemandState.OPEN: {"meet": DemandState.MET, "close": DemandState.CLOSED, "lapse": DemandState.LAPSED},
    DemandState.MET: {},
    DemandState.CLOSED: {},
    DemandState.LAPSED: {},
}

RESPONSE_MOVES: Moves = {
    ResponseState.OPEN: {"decline": ResponseState.DECLINED, "withdraw": ResponseState.WITHDRAWN},
    ResponseState.DECLINED: {},
    ResponseState.WITHDRAWN: {},
}
