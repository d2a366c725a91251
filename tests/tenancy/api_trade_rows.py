"""The API's table of compliance and settlement: each route, each method it answers, and who may."""

from __future__ import annotations

from compliance import exchange_rules, reviews
from settlement.gateways import sandbox_signature
from settlement.models import Renewal
from tests.tenancy.api_rows import API, ORGANISATION, SELLERS, draft_version, of_seller
from tests.tenancy.rules import BOTH, Answer, Anyone, Member, Own, Readers, Row, SignedIn, Staff
from tests.tenancy.world import REASON, facts_of

# --- compliance ----------------------------------------------------------------------------------------------------


def _newcomer(world):
    return {"public_id": world.newcomer.public_id}


def _applicant(world):
    return {"public_id": world.applicant.public_id}


def _fact_change(world):
    return {"change_id": world.fact_change.pk}


def _decision(world):
    return {"decision_id": world.decision.pk}


def _open_review(world):
    return {"review_id": world.open_review.pk}


def _taken_review(world):
    return {"review_id": world.taken_review.pk}


def _asked_version(world):
    return {"public_id": world.asked_review.version.listing.public_id, "number": world.asked_review.version.number}


VERSION = f"{API}/listings/<str:public_id>/versions/<int:number>"
VERIFICATION = f"{API}/verifications/<str:public_id>"
REVIEW = f"{API}/reviews/<int:review_id>"
VET, REVIEWS = Staff(acts=("vet",)), Staff(acts=("review",))
COMPLIANCE = [
    Row("GET", f"{API}/rules", Anyone()),
    Row("GET", f"{API}/reasons", Anyone()),
    Row("GET", f"{ORGANISATION}/application", Member("look", ("seller",), is_named=True), at=of_seller),
    Row(
        "POST",
        f"{ORGANISATION}/application",
        Member("apply", ("newcomer",), is_named=True),
        gives=201,
        at=_newcomer,
        says=lambda w: {"rules_version": exchange_rules.CURRENT_VERSION},
    ),
    Row(
        "POST",
        f"{ORGANISATION}/correction",
        Member("apply", ("newcomer",), is_named=True),
        at=_newcomer,
        says=lambda w: facts_of("A House Better Named"),
    ),
    Row("POST", f"{VERSION}/submission", Member("submit", SELLERS), gives=201, at=draft_version, says=lambda w: {}),
    Row(
        "GET",
        f"{VERSION}/review",
        Member("look", SELLERS),
        at=lambda w: {"public_id": w.submitted.listing.public_id, "number": w.submitted.number},
    ),
    Row("GET", f"{API}/verifications", Staff(desk="organisations")),
    Row("GET", VERIFICATION, Staff(desk="organisations"), at=_applicant),
    Row("GET", f"{VERIFICATION}/decisions", Staff(desk="organisations"), at=_applicant),
    Row(
        "POST",
        f"{VERIFICATION}/decisions",
        VET,
        gives=201,
        at=_applicant,
        says=lambda w: {"act": "refuse", "reason_code": "no_answer", "reason": "Nothing came."},
    ),
    Row("POST", f"{API}/decisions/<int:decision_id>/confirmation", VET, at=_decision, says=lambda w: {}),
    Row("POST", f"{API}/decisions/<int:decision_id>/dropping", VET, at=_decision, says=lambda w: {}),
    Row("GET", f"{API}/fact-changes", Staff(desk="organisations")),
    Row("POST", f"{API}/fact-changes/<int:change_id>/confirmation", VET, at=_fact_change, says=lambda w: {}),
    Row(
        "POST",
        f"{API}/fact-changes/<int:change_id>/refusal",
        VET,
        at=_fact_change,
        says=lambda w: {"reason": "The register says otherwise."},
    ),
    Row("GET", f"{API}/reviews", Staff(desk="reviews")),
    Row("GET", REVIEW, Staff(desk="reviews"), at=_open_review),
    Row("POST", f"{REVIEW}/assignment", REVIEWS, at=_open_review, says=lambda w: {}),
    Row(
        "POST",
        f"{REVIEW}/approval",
        REVIEWS,
        at=_taken_review,
        says=lambda w: {
            "answers": [{"item": item.id, "answer": "yes", "note": ""} for item in reviews.checklist_of(w.taken_review)]
        },
    ),
    Row(
        "POST",
        f"{REVIEW}/questions",
        REVIEWS,
        gives=201,
        at=_taken_review,
        says=lambda w: {"field": "rights", "question": "Which contract?"},
    ),
    Row(
        "POST",
        f"{REVIEW}/questions/<int:question_id>/withdrawal",
        REVIEWS,
        at=lambda w: {"review_id": w.asked_review.pk, "question_id": w.question.pk},
        says=lambda w: {},
    ),
    Row("POST", f"{REVIEW}/notes", REVIEWS, gives=201, at=_taken_review, says=lambda w: {"text": "Looks whole."}),
    Row("POST", f"{VERSION}/taking-back", Member("submit", SELLERS), at=_asked_version, says=lambda w: {}),
    Row(
        "POST",
        f"{VERSION}/questions/<int:question_id>/answer",
        Member("edit_listing", SELLERS),
        at=lambda w: _asked_version(w) | {"question_id": w.question.pk},
        says=lambda w: {"answer": "Since 2013."},
    ),
    Row(
        "POST",
        f"{REVIEW}/change-request",
        REVIEWS,
        at=_taken_review,
        says=lambda w: {"reason_code": "quality", "reason": "Too many gaps."},
    ),
    Row(
        "POST",
        f"{REVIEW}/refusal",
        REVIEWS,
        at=_taken_review,
        says=lambda w: {"reason_code": "misleading", "reason": "It is not what it says."},
    ),
    Row("GET", f"{API}/holds", Staff(acts=("hold", "look_everywhere"))),
    Row(
        "POST",
        f"{API}/holds",
        Staff(acts=("hold",)),
        gives=201,
        says=lambda w: REASON | {"subject_kind": "organisation", "subject": w.buyer.public_id},
    ),
    Row(
        "POST",
        f"{API}/holds/<int:hold_id>/lifting",
        Staff(acts=("hold",)),
        at=lambda w: {"hold_id": w.hold.pk},
        says=lambda w: {"reason": "It is cleared up."},
    ),
]


# --- settlement ----------------------------------------------------------------------------------------------------


def _renewed(world):
    """A licence with a standing order; a row of the table runs in a transaction of its own."""
    order = {"trade": world.delivered.trade, "defaults": {"set_by": world.buyer.created_by}}
    Renewal.objects.get_or_create(**order)
    return _trade("delivered")(world)


def _trade(name):
    return lambda world: {"trade_id": getattr(world, name).trade.public_id}


TRADE = f"{API}/trades/<str:trade_id>"
BUYERS = ("buyer",)
CLEAR, MATCH = Staff(acts=("release_clearing",)), Staff(acts=("match_payment",))
SETTLEMENT = [
    Row("GET", f"{API}/market", Anyone()),
    Row("GET", f"{API}/fees", Anyone()),
    Row("GET", f"{API}/trades", Own("look")),
    Row(
        "POST",
        f"{API}/trades",
        Member("propose", BUYERS),
        gives=201,
        says=lambda w: {"offer": w.named_offer.public_id},
        # The seller sees its own offer, and cannot take it.
        but={
            "seller:owner": Answer(422, "own_product"),
            "seller:trader": Answer(422, "own_product"),
            "seller:*": Answer(403, "role_needed"),
        },
    ),
    Row("GET", f"{API}/quotes", Own("look")),
    Row(
        "POST",
        f"{API}/quotes",
        Member("propose", BUYERS),
        gives=201,
        says=lambda w: {"offer": w.named_offer.public_id},
        but={
            "seller:owner": Answer(422, "own_product"),
            "seller:trader": Answer(422, "own_product"),
            "seller:*": Answer(403, "role_needed"),
        },
    ),
    Row(
        "POST",
        f"{API}/quotes/<str:quote_id>/order",
        Member("propose", BUYERS),
        gives=201,
        at=lambda w: {"quote_id": w.quote.public_id},
        says=lambda w: {},
    ),
    Row("GET", TRADE, Member("look", BOTH), at=_trade("disputed")),
    Row("POST", f"{TRADE}/agreement", Member("agree", SELLERS), at=_trade("proposed"), says=lambda w: {}),
    Row("POST", f"{TRADE}/refusal", Member("decline", SELLERS), at=_trade("proposed"), says=lambda w: {}),
    Row("POST", f"{TRADE}/cancellation", Member("cancel", BUYERS), at=_trade("proposed"), says=lambda w: {}),
    Row("POST", f"{TRADE}/renewal", Member("propose", BUYERS), at=_trade("delivered"), says=lambda w: {}),
    Row("POST", f"{TRADE}/renewal/stopping", Member("propose", BUYERS), at=_renewed, says=lambda w: {}),
    Row("GET", f"{TRADE}/upgrades", Member("look", BUYERS), at=_trade("delivered")),
    Row("GET", f"{TRADE}/usage", Member("look", BOTH), at=_trade("metered")),
    Row("GET", f"{TRADE}/usage.csv", Member("look", BOTH), at=_trade("bill")),
    Row("POST", f"{TRADE}/bills", Member("pay", BUYERS), gives=201, at=_trade("metered"), says=lambda w: {}),
    Row("POST", f"{TRADE}/access/ending", Member("propose", BOTH), at=_trade("metered"), says=lambda w: {}),
    Row("POST", f"{TRADE}/payments", Member("pay", BUYERS), gives=201, at=_trade("failed"), says=lambda w: {}),
    Row("GET", f"{TRADE}/access", Member("download", BUYERS), at=_trade("delivered")),
    Row("GET", f"{TRADE}/evidence", Readers(otherwise=404), at=_trade("settled")),
    Row("GET", f"{TRADE}/receipts", Member("look", BOTH), at=_trade("delivered")),
    Row("POST", f"{TRADE}/acceptance", Member("accept", BUYERS), at=_trade("delivered"), says=lambda w: {}),
    Row(
        "POST",
        f"{TRADE}/dispute",
        Member("dispute", BUYERS),
        at=_trade("delivered"),
        says=lambda w: {"reason": "The dates are wrong."},
    ),
    Row(
        "POST",
        f"{TRADE}/dispute/answer",
        Member("dispute", SELLERS),
        at=_trade("disputed"),
        says=lambda w: {"answer": "They are right."},
    ),
    Row(
        "POST",
        f"{TRADE}/dispute/award",
        Staff(acts=("resolve",)),
        at=_trade("disputed"),
        says=lambda w: {"refund_minor": 100, "resolution": "A part of it was wrong."},
    ),
    Row("GET", f"{API}/statements", Own("see_money")),
    Row(
        "GET",
        f"{API}/statements/<int:statement_id>/lines",
        Member("see_money", SELLERS),
        at=lambda w: {"statement_id": w.statement.pk},
    ),
    Row("GET", f"{API}/invoices", Own("see_money")),
    Row("GET", f"{API}/money", Own("see_money")),
    Row("GET", f"{API}/reserves", Own("see_money")),
    Row("GET", f"{API}/payouts", Own("see_money")),
    Row(
        "GET",
        f"{API}/listings/<slug:public_id>/splits",
        Member("see_money", SELLERS),
        at=lambda w: {"public_id": w.listed.public_id},
    ),
    Row(
        "POST",
        f"{API}/listings/<slug:public_id>/splits",
        Member("split_revenue", SELLERS),
        gives=201,
        at=lambda w: {"public_id": w.suspended.public_id},
        says=lambda w: {"shares": [{"kind": "broker", "basis_points": 250, "organisation": w.buyer.public_id}]},
    ),
    Row(
        "POST",
        f"{API}/splits/<int:split_id>/withdrawal",
        Member("split_revenue", SELLERS),
        at=lambda w: {"split_id": w.split.pk},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{API}/splits/<int:split_id>/agreement",
        Member("split_revenue", ("buyer",)),
        at=lambda w: {"split_id": w.split.pk},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{API}/splits/<int:split_id>/refusal",
        Member("split_revenue", ("buyer",)),
        at=lambda w: {"split_id": w.split.pk},
        says=lambda w: {},
    ),
    Row("GET", f"{API}/revenue-shares", Own("see_money", "buyer")),
    Row("GET", f"{API}/nettings", Own("see_money")),
    Row("POST", f"{API}/nettings", Own("choose_netting"), gives=409, says=lambda w: {}, records=False),  # not_domestic
    Row(
        "POST",
        f"{API}/nettings/<int:netting_id>/stopping",
        Member("choose_netting", SELLERS),
        at=lambda w: {"netting_id": w.netting.pk},
        says=lambda w: {},
    ),
    Row("GET", f"{API}/payout-accounts", Own("see_money")),
    Row(
        "POST",
        f"{API}/payout-accounts",
        Own("manage_payout"),
        gives=201,
        says=lambda w: {"gateway": "sandbox", "reference": "acct-new"},
        but={"buyer:owner": 409, "buyer:finance": 409},  # another of theirs waits
    ),
    Row(
        "POST",
        f"{API}/payout-accounts/<int:account_id>/confirmation",
        Member("manage_payout", ("buyer",)),
        at=lambda w: {"account_id": w.waiting_account.pk},
        says=lambda w: {},
        but={"buyer:owner": Answer(403, "same_person")},
    ),
    Row(
        "POST",
        f"{API}/payout-accounts/<int:account_id>/dropping",
        Member("manage_payout", ("buyer",)),
        at=lambda w: {"account_id": w.waiting_account.pk},
        says=lambda w: {},
    ),
    Row("GET", f"{API}/mendings", Staff(desk="payments")),
    Row(
        "POST",
        f"{API}/mendings/<int:mending_id>/confirmation",
        Staff(acts=("match_payment",)),
        gives=201,
        at=lambda w: {"mending_id": w.mending.pk},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{API}/mendings/<int:mending_id>/dropping",
        Staff(acts=("match_payment",)),
        at=lambda w: {"mending_id": w.mending.pk},
        says=lambda w: {},
    ),
    Row("GET", f"{API}/waiting-payout-accounts", Staff(desk="payments")),
    Row(
        "POST",
        f"{API}/waiting-payout-accounts/<int:account_id>/confirmation",
        Staff(acts=("confirm_account",)),
        at=lambda w: {"account_id": w.lonely_account.pk},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{API}/waiting-payout-accounts/<int:account_id>/dropping",
        Staff(acts=("confirm_account",)),
        at=lambda w: {"account_id": w.lonely_account.pk},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{API}/sandbox/orders/<str:reference>/acts",
        SignedIn(),  # the sandbox's bank knows nobody: whoever has the link of a payment pays it
        at=lambda w: {"reference": w.payment_order.reference},
        says=lambda w: {"act": "pay"},
        records=False,
    ),
    Row(
        "POST",
        f"{API}/sandbox/orders/<str:reference>/acts",
        MATCH,
        at=lambda w: {"reference": w.payout_order.reference},
        says=lambda w: {"act": "bounce"},
        records=False,
    ),
    Row("GET", f"{API}/cycles", Staff(desk="clearing")),
    Row("POST", f"{API}/cycles/current/closing", CLEAR, gives=201, says=lambda w: {"currency": "HKD"}),
    Row(
        "POST", f"{API}/cycles/<int:number>/release", CLEAR, at=lambda w: {"number": w.cycle.number}, says=lambda w: {}
    ),
    Row("GET", f"{API}/stuck", Staff(desk="stuck")),
    Row(
        "POST",
        f"{API}/stuck/attempt",
        Staff(acts=("try_again",)),
        says=lambda w: {"work": "trades to register", "row": str(w.stuck.pk)},
    ),
    Row("GET", f"{API}/unmatched", Staff(desk="payments")),
    Row(
        "POST",
        f"{API}/unmatched/<int:unmatched_id>/return",
        MATCH,
        gives=201,
        at=lambda w: {"unmatched_id": w.unmatched.pk},
        says=lambda w: {},
    ),
    Row("POST", f"{TRADE}/funding-from-suspense", MATCH, at=_trade("overpaid"), says=lambda w: {}),
    Row(
        "POST",
        f"{TRADE}/hold",
        Staff(acts=("hold",)),
        gives=201,
        at=_trade("delivered"),
        says=lambda w: {"reason_code": "complaint", "reason": "A complaint came in."},
    ),
    Row("GET", f"{API}/refunds/bounced", Staff(desk="payments")),
    Row(
        "POST",
        f"{API}/refunds/<str:key>/resending",
        MATCH,
        gives=201,
        at=lambda w: {"key": w.refund.key},
        says=lambda w: {"payer_reference": ""},
    ),
    Row(
        "POST",
        f"{API}/gateways/<str:name>/notices",
        Anyone(),  # who may speak for a gateway is told by its signature
        at=lambda w: {"name": "sandbox"},
        says=lambda w: {"event_id": "evt-1"},
        headers=lambda w: {sandbox_signature.HEADER: sandbox_signature.sign(b'{"event_id": "evt-1"}')},
        records=False,
    ),
]

ROWS = [*COMPLIANCE, *SETTLEMENT]
