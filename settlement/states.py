"""The maps of moves of settlement: `{state: {act: next state}}`. The triggers, buttons and tests come from them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.guards import Moves


class TradeState(models.TextChoices):
    PROPOSED = "proposed", _("Proposed")
    AGREED = "agreed", _("Agreed")
    REGISTERED = "registered", _("Registered")
    FUNDED = "funded", _("Funded")
    DELIVERED = "delivered", _("Delivered")
    ACCEPTED = "accepted", _("Accepted")
    DISPUTED = "disputed", _("Disputed")
    CLEARED = "cleared", _("Cleared")
    SETTLED = "settled", _("Settled")
    DECLINED = "declined", _("Declined")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")
    REFUNDED = "refunded", _("Refunded")


class PaymentState(models.TextChoices):
    REQUESTED = "requested", _("Requested")
    STARTED = "started", _("Waiting for the buyer")
    PAID = "paid", _("Paid")
    FAILED = "failed", _("Failed")
    STOPPED = "stopped", _("Stopped")


class MovementKind(models.TextChoices):
    """What a line of a gateway's own books says that it is."""

    PAYMENT = "payment", _("Payment")
    REFUND = "refund", _("Refund")
    PAYOUT = "payout", _("Payout")
    RETURNED = "returned", _("Money returned")
    CHARGEBACK = "chargeback", _("Chargeback")
    FEE = "fee", _("Fee")
    OTHER = "other", _("Other")


class OutgoingState(models.TextChoices):
    """Of money that leaves: a refund or a payout."""

    DUE = "due", _("Due")
    SENT = "sent", _("Sent")
    PAID = "paid", _("Paid")
    BOUNCED = "bounced", _("Bounced")


class GrantState(models.TextChoices):
    DUE = "due", _("Due")
    OPEN = "open", pgettext_lazy("access", "Open")
    SUSPENDED = "suspended", _("Suspended")
    CLOSED = "closed", _("Closed")


class RenewalState(models.TextChoices):
    """Of a standing order to renew a licence."""

    STANDING = "standing", _("Renewed automatically")
    RENEWED = "renewed", _("Renewed")
    STOPPED = "stopped", _("Stopped")


class SplitState(models.TextChoices):
    """Of how a product's revenue is shared."""

    PROPOSED = "proposed", pgettext_lazy("split", "Waits for agreement")
    IN_FORCE = "in_force", pgettext_lazy("split", "In force")
    REPLACED = "replaced", pgettext_lazy("split", "Replaced")
    DECLINED = "declined", pgettext_lazy("split", "Declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("split", "Withdrawn")


class CycleState(models.TextChoices):
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")
    RELEASED = "released", _("Released")


class DisputeState(models.TextChoices):
    OPEN = "open", _("Open")
    RESOLVED = "resolved", _("Resolved")


class ChargebackState(models.TextChoices):
    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


T, P, M, G, C, D, B = TradeState, PaymentState, OutgoingState, GrantState, CycleState, DisputeState, ChargebackState

TRADE_MOVES: Moves = {
    T.PROPOSED: {"agree": T.AGREED, "decline": T.DECLINED, "cancel": T.CANCELLED, "expire": T.EXPIRED},
    T.AGREED: {"register": T.REGISTERED, "cancel": T.CANCELLED, "expire": T.EXPIRED},
    T.REGISTERED: {"fund": T.FUNDED, "cancel": T.CANCELLED, "expire": T.EXPIRED, "charge_back": T.REFUNDED},
    T.FUNDED: {"deliver": T.DELIVERED, "cannot_deliver": T.REFUNDED, "charge_back": T.REFUNDED},
    T.DELIVERED: {"accept": T.ACCEPTED, "dispute": T.DISPUTED, "charge_back": T.REFUNDED},
    T.DISPUTED: {"resolve_for_seller": T.ACCEPTED, "resolve_for_buyer": T.REFUNDED, "charge_back": T.REFUNDED},
    T.ACCEPTED: {"clear": T.CLEARED, "charge_back": T.REFUNDED},
    T.CLEARED: {"settle": T.SETTLED},
    T.SETTLED: {},
    T.DECLINED: {},
    T.CANCELLED: {},
    T.EXPIRED: {},
    T.REFUNDED: {},
}

PAYMENT_MOVES: Moves = {
    P.REQUESTED: {"start": P.STARTED, "pay": P.PAID, "fail": P.FAILED, "stop": P.STOPPED},
    P.STARTED: {"pay": P.PAID, "fail": P.FAILED, "stop": P.STOPPED},
    P.PAID: {},
    P.FAILED: {},
    P.STOPPED: {},
}

OUTGOING_MOVES: Moves = {
    M.DUE: {"send": M.SENT},
    M.SENT: {"pay": M.PAID, "bounce": M.BOUNCED},
    M.PAID: {"bounce": M.BOUNCED},
    M.BOUNCED: {},
}

GRANT_MOVES: Moves = {
    G.DUE: {"open": G.OPEN, "close": G.CLOSED},
    G.OPEN: {"suspend": G.SUSPENDED, "close": G.CLOSED},
    G.SUSPENDED: {"resume": G.OPEN, "close": G.CLOSED},
    G.CLOSED: {},
}

RENEWAL_MOVES: Moves = {
    RenewalState.STANDING: {"renew": RenewalState.RENEWED, "stop": RenewalState.STOPPED},
    RenewalState.RENEWED: {"keep": RenewalState.STANDING},
    RenewalState.STOPPED: {"keep": RenewalState.STANDING},
}

SPLIT_MOVES: Moves = {
    SplitState.PROPOSED: {
        "come_into_force": SplitState.IN_FORCE, "decline": SplitState.DECLINED, "withdraw": SplitState.WITHDRAWN,
    },
    SplitState.IN_FORCE: {"replace": SplitState.REPLACED},
    SplitState.REPLACED: {},
    SplitState.DECLINED: {},
    SplitState.WITHDRAWN: {},
}  # fmt: skip

CYCLE_MOVES: Moves = {C.OPEN: {"close": C.CLOSED}, C.CLOSED: {"release": C.RELEASED}, C.RELEASED: {}}
DISPUTE_MOVES: Moves = {D.OPEN: {"resolve": D.RESOLVED}, D.RESOLVED: {}}
CHARGEBACK_MOVES: Moves = {B.OPEN: {"win": B.WON, "lose": B.LOST}, B.WON: {}, B.LOST: {}}
