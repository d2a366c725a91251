"""The maps of moves of a version, a listing, an upload and a release's profile: `{state: {act: next state}}`."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.guards import Moves


class VersionState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    IN_REVIEW = "in_review", _("In review")
    APPROVED = "approved", _("Approved")
    CHANGES_REQUESTED = "changes_requested", _("Changes requested")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Taken back")


class ListingState(models.TextChoices):
    UNLISTED = "unlisted", _("Unlisted")
    REGISTERED = "registered", _("Registered")
    LISTED = "listed", _("Listed")
    SUSPENDED = "suspended", _("Suspended")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ProfileState(models.TextChoices):
    DUE = "due", _("Waiting")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class UploadState(models.TextChoices):
    ARRIVING = "arriving", _("Arriving")
    CHECKING = "checking", _("Being checked")
    REFUSED = "refused", _("Refused")
    QUARANTINED = "quarantined", _("In quarantine")


class ObjectionState(models.TextChoices):
    OPEN = "open", pgettext_lazy("objection", "Open")
    UPHELD = "upheld", _("Upheld")
    DISMISSED = "dismissed", _("Dismissed")


class ReportState(models.TextChoices):
    OPEN = "open", pgettext_lazy("report", "Open")
    DISMISSED = "dismissed", pgettext_lazy("report", "Dismissed")
    ACTED_UPON = "acted_upon", _("Acted upon")


V, L, P, U, B = VersionState, ListingState, ProfileState, UploadState, ObjectionState

VERSION_MOVES: Moves = {
    V.DRAFT: {"submit": V.SUBMITTED},
    V.SUBMITTED: {"take": V.IN_REVIEW, "take_back": V.WITHDRAWN},
    V.IN_REVIEW: {
        "approve": V.APPROVED,
        "request_changes": V.CHANGES_REQUESTED,
        "refuse": V.REFUSED,
        "take_back": V.WITHDRAWN,
    },
    V.APPROVED: {},
    V.CHANGES_REQUESTED: {},
    V.REFUSED: {},
    V.WITHDRAWN: {},
}

LISTING_MOVES: Moves = {
    L.UNLISTED: {"register": L.REGISTERED, "withdraw": L.WITHDRAWN},
    L.REGISTERED: {"publish": L.LISTED, "withdraw": L.WITHDRAWN},
    L.LISTED: {"suspend": L.SUSPENDED, "withdraw": L.WITHDRAWN},
    L.SUSPENDED: {"resume": L.LISTED, "withdraw": L.WITHDRAWN},
    L.WITHDRAWN: {},
}

PROFILE_MOVES: Moves = {
    P.DUE: {"finish": P.DONE, "fail": P.FAILED},
    P.DONE: {"measure_again": P.DUE},
    P.FAILED: {"try_again": P.DUE},
}

# What has passed its check is a file of its release, and no upload any more.
UPLOAD_MOVES: Moves = {
    U.ARRIVING: {"check": U.CHECKING},
    U.CHECKING: {"refuse": U.REFUSED, "quarantine": U.QUARANTINED},
    U.REFUSED: {},
    U.QUARANTINED: {},
}

OBJECTION_MOVES: Moves = {
    B.OPEN: {"uphold": B.UPHELD, "dismiss": B.DISMISSED},
    B.UPHELD: {},
    B.DISMISSED: {},
}

REPORT_MOVES: Moves = {
    ReportState.OPEN: {"dismiss": ReportState.DISMISSED, "act_upon": ReportState.ACTED_UPON},
    ReportState.DISMISSED: {},
    ReportState.ACTED_UPON: {},
}
