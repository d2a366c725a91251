"""The table of the staff's desks: for members they do not exist; staff see theirs, and act there as their role says."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from tests import bank_messages
from tests.tenancy.rules import Answer, Given, Row, Staff
from tests.tenancy.world import REASON

DESK = "/admin/desks/"
NO_ANSWER = {"reason_code": "no_answer", "reason": "Nothing came."}


def _applicant(world):
    return {"public_id": world.applicant.public_id}


def _seller(world):
    return {"public_id": world.seller.public_id}


BANK_FILE = DESK + "payments/bank/files/<int:file_id>/"
BANK_REPORT = DESK + "payments/bank/reports/<int:report_id>/"


def _bank_report(world):
    return {"report_id": world.bank_report.pk}


def _statement():
    return SimpleUploadedFile("day.xml", bank_messages.camt053([]))


PROOF = DESK + "organisations/<str:public_id>/papers/<int:proof_id>/"


def _proof(world):
    return {**_seller(world), "proof_id": world.proof.pk}


def _open_review(world):
    return {"review_id": world.open_review.pk}


def _taken_review(world):
    return {"review_id": world.taken_review.pk}


def _asked_review(world):
    return {"review_id": world.asked_review.pk}


def _dispute(world):
    return {"dispute_id": world.dispute.pk}


def _cycle(world):
    return {"number": world.cycle.number}


def _break(world):
    return {"break_id": world.broken.pk}


def _certificate(world):
    return {"number": world.certificate.number}


def _trade(world):
    return {"trade_id": world.delivered.trade.public_id}


def _registered(world):
    return {"trade_id": world.registered.trade.public_id}


def _expired(world):
    return {"trade_id": world.expired.trade.public_id}


def _objection(world):
    return {"objection_id": world.objection.pk}


def _says(**fields):
    return lambda world: fields


ROWS = [
    Row("GET", "/admin/", Given({"nobody": Answer(302), "staff:*": None, "*": 404})),
    Row(
        "GET", DESK + "search/", Given({"nobody": Answer(302), "staff:*": None, "*": 404}), asks=lambda w: {"q": "DP-"}
    ),
    # --- organisations
    Row("GET", DESK + "organisations/", Staff("organisations")),
    Row("GET", DESK + "organisations/<str:public_id>/", Staff("organisations"), at=_applicant),
    Row(
        "POST",
        DESK + "organisations/<str:public_id>/act/",
        Staff("organisations", ("vet",)),
        gives=302,
        at=_applicant,
        says=_says(act="refuse", **NO_ANSWER),
    ),
    Row(
        "POST",
        DESK + "organisations/<str:public_id>/act/",
        Staff("organisations", ("hold",)),
        gives=302,
        at=_applicant,
        says=_says(act="hold", **REASON),
    ),
    Row(
        "POST",
        DESK + "organisations/<str:public_id>/act/",
        Staff("organisations", ("vet",)),
        gives=302,
        at=_seller,
        says=lambda w: {"act": "confirm_change", "change": w.fact_change.pk},
    ),
    Row("GET", DESK + "organisations/<str:public_id>/", Staff("organisations"), at=_seller),
    Row("GET", DESK + "expiring-papers/", Staff("organisations")),
    Row("GET", PROOF + "file/", Staff("organisations"), at=_proof),
    Row("GET", PROOF + "pages/<int:page>.png", Staff("organisations"), at=lambda w: {**_proof(w), "page": 1}),
    Row(
        "POST",
        DESK + "organisations/<str:public_id>/act/",
        Staff("organisations", ("vet",)),
        gives=302,
        at=_seller,
        says=_says(act="decide_tier", tier="premier", reason="Trades every day."),
    ),
    # --- participants
    Row("GET", DESK + "participants/", Staff("participants")),
    Row("GET", DESK + "participants/<str:public_id>/", Staff("participants"), at=_seller),
    Row(
        "GET",
        DESK + "participants/<str:public_id>/<slug:name>/",
        Staff("participants"),
        at=lambda w: {**_seller(w), "name": "holds"},
    ),
    Row(
        "POST",
        DESK + "participants/<str:public_id>/note/",
        Staff("participants", ("note",)),
        gives=302,
        at=_seller,
        says=_says(act="note", reason="Called them today."),
    ),
    # --- the catalogue
    Row(
        "POST",
        DESK + "catalogue/entries/<slug:public_id>/withdrawal/",
        Staff("reviews", ("withdraw_entry",)),
        gives=302,
        at=lambda w: {"public_id": w.entry.public_id},
        says=_says(reason="The merchant asked for it."),
    ),
    # --- reviews
    Row("GET", DESK + "reviews/", Staff("reviews")),
    Row("GET", DESK + "reviews/<int:review_id>/", Staff("reviews"), at=_open_review),
    Row(
        "POST",
        DESK + "reviews/<int:review_id>/act/",
        Staff("reviews", ("review",)),
        gives=302,
        at=_open_review,
        says=_says(act="take"),
    ),
    Row(
        "POST",
        DESK + "reviews/<int:review_id>/act/",
        Staff("reviews", ("hold",)),
        gives=302,
        at=_open_review,
        says=_says(act="hold", **REASON),
    ),
    Row(
        "POST",
        DESK + "reviews/<int:review_id>/act/",
        Staff("reviews", ("suspend_listing",)),
        gives=302,
        at=lambda w: {"review_id": w.listed_review.pk},
        says=_says(act="suspend", reason="Being looked into."),
    ),
    Row("GET", DESK + "reviews/<int:review_id>/", Staff("reviews"), at=_asked_review),
    Row(
        "POST",
        DESK + "reviews/<int:review_id>/act/",
        Staff("reviews", ("review",)),
        gives=302,
        at=_taken_review,
        says=_says(
            act="request_changes", request_changes_code="quality", request_changes_reason="Gaps.", answer_rights="no"
        ),
    ),
    Row(
        "POST",
        DESK + "reviews/<int:review_id>/act/",
        Staff("reviews", ("review",)),
        gives=302,
        at=_taken_review,
        says=_says(act="ask", field="rights", question="Which contract?"),
    ),
    Row(
        "POST",
        DESK + "reviews/<int:review_id>/act/",
        Staff("reviews", ("review",)),
        gives=302,
        at=_taken_review,
        says=_says(act="note", text="Looks whole."),
    ),
    Row(
        "POST",
        DESK + "reviews/<int:review_id>/act/",
        Staff("reviews", ("review",)),
        gives=302,
        at=_asked_review,
        says=lambda w: {"act": "withdraw_question", "question": w.question.pk},
    ),
    # --- objections
    Row("GET", DESK + "objections/", Staff("objections")),
    Row("GET", DESK + "objections/<int:objection_id>/", Staff("objections"), at=_objection),
    Row(
        "POST",
        DESK + "objections/<int:objection_id>/act/",
        Staff("objections", ("decide_objection",)),
        gives=302,
        at=_objection,
        says=_says(act="dismiss", decision="The contract ended."),
    ),
    # --- reports of products
    Row("GET", DESK + "reports/", Staff("reports")),
    Row("GET", DESK + "reports/<int:report_id>/", Staff("reports"), at=lambda w: {"report_id": w.report.pk}),
    Row(
        "POST",
        DESK + "reports/<int:report_id>/act/",
        Staff("reports", ("decide_report",)),
        gives=302,
        at=lambda w: {"report_id": w.report.pk},
        says=_says(act="dismiss", decision="The dates are right."),
    ),
    # --- questions to sellers
    Row("GET", DESK + "questions/", Staff("questions")),
    Row(
        "POST",
        DESK + "questions/<int:question_id>/hiding/",
        Staff("questions", ("hide_question",)),
        gives=302,
        at=lambda w: {"question_id": w.question_answered.pk},
        says=_says(reason="It names a person."),
    ),
    # --- payments
    Row("GET", DESK + "payments/", Staff("payments")),
    Row(
        "POST",
        DESK + "payments/act/",
        Staff("payments", ("match_payment",)),
        gives=302,
        says=lambda w: {"act": "return", "row": w.unmatched.pk},
    ),
    Row(
        "POST",
        DESK + "payments/act/",
        Staff("payments", ("match_payment",)),
        gives=302,
        says=lambda w: {"act": "apply", "row": w.unmatched.pk},
    ),
    Row(
        "POST",
        DESK + "payments/act/",
        Staff("payments", ("match_payment",)),
        gives=302,
        says=lambda w: {"act": "send_again", "row": w.refund.pk, "payer_reference": ""},
    ),
    Row(
        "POST",
        DESK + "payments/act/",
        Staff("payments", ("confirm_account",)),
        gives=302,
        says=lambda w: {"act": "confirm_account", "row": w.lonely_account.pk},
    ),
    Row("GET", DESK + "payments/bank/", Staff("payments")),
    Row("GET", BANK_REPORT, Staff("payments"), at=_bank_report),
    Row("GET", BANK_REPORT + "file/", Staff("payments"), at=_bank_report),
    Row(
        "GET", DESK + "payments/bank/files/<int:file_id>/", Staff("payments"), at=lambda w: {"file_id": w.bank_file.pk}
    ),
    Row(
        "POST",
        DESK + "payments/bank/act/",
        Staff("payments", ("match_payment",)),
        gives=302,
        says=_says(act="make_file", currency="HKD"),
    ),
    Row(
        "POST",
        DESK + "payments/bank/act/",
        Staff("payments", ("match_payment",)),
        gives=302,
        says=lambda w: {"act": "take", "form": "camt.053", "currency": "", "columns": "", "file": _statement()},
    ),
    # --- disputes
    Row("GET", DESK + "disputes/", Staff("disputes")),
    Row("GET", DESK + "disputes/<int:dispute_id>/", Staff("disputes"), at=_dispute),
    Row(
        "POST",
        DESK + "disputes/<int:dispute_id>/act/",
        Staff("disputes", ("resolve",)),
        gives=302,
        at=_dispute,
        says=_says(act="resolve", refund="1.00", resolution="A part of it was wrong."),
    ),
    Row(
        "POST",
        DESK + "disputes/<int:dispute_id>/act/",
        Staff("disputes", ("hold",)),
        gives=302,
        at=_dispute,
        says=_says(act="hold", **REASON),
    ),
    # --- clearing
    Row("GET", DESK + "clearing/", Staff("clearing")),
    Row("GET", DESK + "clearing/preview/", Staff("clearing")),
    Row("GET", DESK + "clearing/<int:number>/", Staff("clearing"), at=_cycle),
    Row("GET", DESK + "clearing/fees/", Staff("clearing")),
    Row(
        "POST",
        DESK + "clearing/fees/act/",
        Staff("clearing", ("set_fees",)),
        gives=302,
        says=_says(act="ask", percent="2", begins_on="2099-01-01", reason="A new tariff."),
    ),
    Row("GET", DESK + "clearing/netting/", Staff("clearing")),
    Row(
        "POST",
        DESK + "clearing/netting/act/",
        Staff("clearing", ("grant_netting",)),
        gives=302,
        says=lambda world: {"act": "refuse", "netting": world.netting.pk, "reason": "No opinion is at hand."},
    ),
    Row("GET", DESK + "clearing/reserves/", Staff("clearing")),
    Row(
        "POST",
        DESK + "clearing/reserves/act/",
        Staff("clearing", ("set_reserve",)),
        gives=302,
        says=lambda world: {
            "act": "ask",
            "organisation": world.seller.public_id,
            "percent": "10",
            "days": "30",
            "begins_on": "2099-01-01",
            "reason": "Many sales were contested.",
        },
    ),
    Row(
        "POST",
        DESK + "clearing/close/",
        Staff("clearing", ("release_clearing",)),
        gives=302,
        says=lambda world: {"act": "close", "cycle": world.next_cycle.number},
    ),
    Row(
        "POST",
        DESK + "clearing/<int:number>/release/",
        Staff("clearing", ("release_clearing",)),
        gives=302,
        at=_cycle,
        says=_says(act="release"),
    ),
    # --- reconciliation
    Row("GET", DESK + "reconciliation/", Staff("reconciliation")),
    Row("GET", DESK + "reconciliation/<int:break_id>/", Staff("reconciliation"), at=_break),
    Row(
        "POST",
        DESK + "reconciliation/<int:break_id>/act/",
        Staff("reconciliation", ("explain_break",)),
        gives=302,
        at=_break,
        says=_says(act="explain", reason_code="other", reason="A charge of the bank."),
    ),
    # --- trades
    Row("GET", DESK + "trades/", Staff("trades")),
    Row("GET", DESK + "trades/<str:trade_id>/", Staff("trades"), at=_trade),
    Row(
        "POST",
        DESK + "trades/<str:trade_id>/act/",
        Staff("trades", ("hold",)),
        gives=302,
        at=_trade,
        says=_says(act="hold", **REASON),
    ),
    Row(
        "POST",
        DESK + "trades/<str:trade_id>/act/",
        Staff("trades", ("set_tax",)),
        gives=302,
        at=_registered,
        says=_says(act="set_tax", vat="6", vat_how="charged", income="0", reason="The contract says so."),
    ),
    Row(
        "POST",
        DESK + "trades/<str:trade_id>/act/",
        Staff("trades", ("excuse_default",)),
        gives=302,
        at=_expired,
        says=_says(act="excuse_default", reason="The bank was closed."),
    ),
    # --- papers
    Row("GET", DESK + "papers/", Staff("papers")),
    Row("GET", DESK + "papers/<str:number>/", Staff("papers"), at=_certificate),
    Row(
        "POST",
        DESK + "papers/<str:number>/act/",
        Staff("papers", ("revoke_paper",)),
        gives=302,
        at=_certificate,
        says=_says(act="ask", reason="Issued by mistake."),
    ),
    Row(
        "POST",
        DESK + "papers/<str:number>/act/",
        Staff("papers", ("revoke_paper",)),
        gives=302,
        at=lambda w: {"number": w.contract.number},
        says=_says(act="confirm"),
    ),
    # --- decisions
    Row("GET", DESK + "decisions/", Staff("decisions")),
    # --- announcements
    Row("GET", DESK + "announcements/", Staff("announcements")),
    Row(
        "POST",
        DESK + "announcements/",
        Staff("announcements", ("announce",)),
        gives=302,
        says=_says(
            kind="news",
            severity="info",
            audience="staff",
            title_en="Tea at four",
            starts_at="2026-01-01T09:00",
            ends_at="2126-01-01T09:00",
            why="It is Friday.",
        ),
    ),
    Row(
        "POST",
        DESK + "announcements/<str:public_id>/withdrawal/",
        Staff("announcements", ("announce",)),
        gives=302,
        at=lambda w: {"public_id": w.announcement.public_id},
        says=_says(act="withdraw", why="It was wrong."),
    ),
    # --- stuck work
    Row("GET", DESK + "stuck/", Staff("stuck")),
    Row(
        "POST",
        DESK + "stuck/act/",
        Staff("stuck", ("try_again",)),
        gives=302,
        says=lambda w: {"act": "try", "work": "trades to register", "row": w.stuck.pk},
    ),
]
