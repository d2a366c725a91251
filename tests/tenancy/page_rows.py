"""The pages' table: each route, each method it answers, and who may. The staff's desks are in desk_rows.py."""

from __future__ import annotations

import datetime as dt

from django.core.files.uploadedfile import SimpleUploadedFile

from compliance import declaration_text, exchange_rules
from marketplace import clock
from tests.tenancy.rules import BOTH, Answer, Anyone, Given, Member, Own, Readers, Row, SignedIn
from tests.tenancy.world import facts_of

SIGN_IN = Answer(302)
NO_ORGANISATION = Answer(403, "no_organisation")


def _in_window(world):
    return {"number": world.in_window.number}


def _form(**fields):
    return lambda world: fields


# --- the ground ----------------------------------------------------------------------------------------------------


def _leaver(world):
    return {"membership_id": world.leaver.pk}


def _certificate(world):
    return {"number": world.certificate.number}


def _code(world):
    return {"code": world.certificate.check_code}


def _english(world):
    return {"number": world.certificate.number, "language": "en"}


WEBHOOK = "/webhooks/<int:endpoint_id>/"
HOOK_URL = "https://hooks.example.com/other"


def _webhook(world):
    return {"endpoint_id": world.webhook.pk}


def _rotation(world):
    return _webhook(world) | {"act": "rotation"}


READERS = Readers(otherwise=404)
WITHOUT_CODE = Given({"*": Answer(403, "wrong_check_code")})
GROUND = [
    Row("GET", "/", Anyone()),
    Row("GET", "/healthz", Anyone()),
    Row("GET", "/readyz", Anyone(), gives=503),  # no worker runs in a test
    Row("GET", "/metrics", Anyone()),  # in development whoever asks from this machine
    Row("GET", "/design/", Anyone()),
    Row("GET", "/letters/", Anyone(), gives=404),  # in development only
    Row(
        "POST",
        "/act-for/",
        Given({"nobody": SIGN_IN, "seller:*": None, "*": 404}),
        gives=302,
        says=lambda w: {"organisation": w.seller.public_id},
        records=False,
    ),
    Row("GET", "/members/", Own("look")),
    Row("POST", "/members/", Own("manage_members"), gives=302, says=_form(email="new@example.com", role="viewer")),
    Row(
        "POST",
        "/members/<int:membership_id>/role/",
        Member("manage_members", ("seller",)),
        gives=302,
        at=_leaver,
        says=_form(role="finance"),
    ),
    Row(
        "POST",
        "/members/<int:membership_id>/departure/",
        Member("manage_members", ("seller",)),
        gives=302,
        at=_leaver,
        says=_form(),
    ),
    Row(
        "POST",
        "/invitations/<int:invitation_id>/withdrawal/",
        Member("manage_members", ("seller",)),
        gives=302,
        at=lambda w: {"invitation_id": w.invitation.pk},
        says=_form(),
    ),
    Row(
        "GET",
        "/join/<str:secret>/",
        SignedIn(),
        at=lambda w: {"secret": w.join_secret},
        tells=lambda w: [w.seller.created_by.email],
    ),
    Row(
        "POST",
        "/join/<str:secret>/",
        Given({"nobody": SIGN_IN, "stranger": None, "*": Answer(403, "other_address")}),
        gives=302,
        at=lambda w: {"secret": w.join_secret},
        says=_form(),
    ),
    Row("GET", "/tokens/", SignedIn()),
    Row("POST", "/tokens/", SignedIn(), gives=201, says=_form(name="A script", scopes=["read"], days="30")),
    Row(
        "POST",
        "/tokens/",
        Own("manage_tokens"),
        gives=201,
        says=_form(name="A script", scopes=["read"], days="30", is_for_organisation="on"),
        but={"staff:*": 201},  # acting for none, the key is their own
    ),
    Row(
        "POST",
        "/tokens/<int:token_id>/revocation/",
        Given({"nobody": SIGN_IN, "seller:owner": None, "*": 404}),
        gives=302,
        at=lambda w: {"token_id": w.token.pk},
        says=_form(),
    ),
    Row("GET", "/notifications/", SignedIn()),
    Row("POST", "/notifications/reading/", SignedIn(), gives=302, says=_form(), records=False),
    Row("GET", "/notifications/settings/", SignedIn()),
    Row("POST", "/notifications/settings/", SignedIn(), gives=302, says=_form(), records=False),
    Row(
        "POST",
        "/notifications/<int:notification_id>/reading/",
        Given({"nobody": SIGN_IN, "seller:owner": None, "*": 404}),
        gives=302,
        at=lambda w: {"notification_id": w.told.pk},
        says=_form(stay="1"),
        records=False,
    ),
    Row("GET", "/webhooks/", Own("manage_tokens")),
    Row("POST", "/webhooks/", Own("manage_tokens"), gives=201, says=_form(url="https://hooks.example.com/new")),
    Row("GET", WEBHOOK, Member("manage_tokens", ("seller",)), at=_webhook),
    Row("POST", WEBHOOK, Member("manage_tokens", ("seller",)), gives=302, at=_webhook, says=_form(url=HOOK_URL)),
    Row("POST", WEBHOOK + "<slug:act>/", Member("manage_tokens", ("seller",)), gives=201, at=_rotation, says=_form()),
    Row(
        "POST",
        WEBHOOK + "deliveries/<int:delivery_id>/replay/",
        Member("manage_tokens", ("seller",)),
        gives=302,
        at=lambda w: _webhook(w) | {"delivery_id": w.webhook_delivery.pk},
        says=_form(),
        records=False,
    ),
    Row("GET", "/verify/", Anyone()),
    Row("GET", "/verify/<str:number>/", Anyone(), at=_certificate),
    Row("GET", "/verify/<str:number>/<str:language>.pdf", WITHOUT_CODE, at=_english),
    Row("GET", "/verify/<str:number>/<str:language>.pdf", Anyone(), at=_english, asks=_code),
    Row("GET", "/verify/<str:number>/record.json", WITHOUT_CODE, at=_certificate),
    Row(
        "GET",
        "/verify/<str:number>/record.json",
        Anyone(),
        at=_certificate,
        asks=_code,
        tells=lambda w: [w.buyer.name],
    ),
    Row("GET", "/papers/", SignedIn()),
    Row("GET", "/papers/<str:number>/", READERS, at=_certificate),
    Row("GET", "/papers/<str:number>/<str:language>.pdf", READERS, at=_english),
    Row("GET", "/papers/<str:number>/record.json", READERS, at=_certificate),
]


# --- products ------------------------------------------------------------------------------------------------------

SELLERS = ("seller",)
PRODUCT = "/studio/<slug:public_id>/"
RELEASE = PRODUCT + "releases/<int:release_id>/"


QUESTIONS = "/products/<slug:public_id>/questions/"


def _question(world):
    return {"public_id": world.listed.public_id, "question_id": world.question_waiting.pk}


def _draft(world):
    return {"public_id": world.draft.listing.public_id}


def _draft_version(world):
    return {"public_id": world.draft.listing.public_id, "number": world.draft.number}


def _asked_version(world):
    return {"public_id": world.asked_review.version.listing.public_id, "number": world.asked_review.version.number}


def _fresh(world):
    return {"public_id": world.fresh.public_id}


def _named_offer(world):
    return {"public_id": world.listed.public_id, "offer_id": world.named_offer.public_id}


def _days(number):
    return (clock.today() + dt.timedelta(days=number)).isoformat()


def _open_release(world):
    return {"public_id": world.fresh.public_id, "release_id": world.release.pk}


PLAN = {
    "name": "Another plan",
    "price": "12.50",
    "currency": "HKD",
    "channel": "files",
    "inspection_days": "7",
    "jurisdiction": "hk_hkiac",
    "audience": "everyone",
    "purposes": ["internal_analysis"],
    "derived_works": "internal",
    "redistribution": "none",
    "anywhere": "on",
    "personal_data": "none",
}
PRODUCTS = [
    Row("GET", "/market/", Anyone()),
    Row("GET", "/fees/", Anyone()),
    Row("GET", "/announcements/", Anyone()),
    Row(
        "POST",
        "/announcements/<str:public_id>/dismissal/",
        SignedIn(),
        gives=302,
        at=lambda w: {"public_id": w.announcement.public_id},
        says=lambda w: {"next": "/"},
        records=False,
    ),
    Row("GET", "/merchants/<str:public_id>/", Anyone(), at=lambda w: {"public_id": w.seller.public_id}),
    Row("GET", "/catalogue/", Anyone()),
    Row("GET", "/compare/", Anyone(), asks=lambda w: {"p": w.listed.public_id}),
    Row(
        "POST",
        "/compare/changes/",
        Anyone(),
        gives=303,
        says=lambda w: {"p": w.listed.public_id, "next": "/catalogue/"},
        records=False,
    ),
    Row("GET", "/register/", Anyone()),
    Row("GET", "/register/<str:number>/", Anyone(), at=_in_window),
    Row(
        "POST",
        "/register/<str:number>/objections/",
        SignedIn(),
        gives=302,
        at=_in_window,
        says=_form(reason="Ours."),
        but={"seller:*": Answer(409, "own_product")},
    ),
    Row(
        "GET",
        "/catalogue/entries/<slug:public_id>/",
        Anyone(),
        at=lambda w: {"public_id": w.entry.public_id},
    ),
    Row("GET", "/products/<slug:public_id>/", Anyone(), at=lambda w: {"public_id": w.listed.public_id}),
    Row(
        "GET",
        "/products/<slug:public_id>/samples/<int:number>.csv",
        Anyone(),
        at=lambda w: {"public_id": w.listed.public_id, "number": 1},
    ),
    Row("GET", "/products/<slug:public_id>/dictionary.csv", Anyone(), at=lambda w: {"public_id": w.listed.public_id}),
    Row("GET", "/products/<slug:public_id>/report/", SignedIn(), at=lambda w: {"public_id": w.listed.public_id}),
    Row(
        "POST",
        "/products/<slug:public_id>/report/",
        SignedIn(),
        gives=302,
        at=lambda w: {"public_id": w.listed.public_id},
        says=_form(category="rights", text="It is ours."),
        but={"seller:*": Answer(409, "own_product")},
    ),
    Row("GET", QUESTIONS, Anyone(), at=lambda w: {"public_id": w.listed.public_id}),
    Row(
        "POST",
        QUESTIONS + "new/",
        Own("look", side="buyer"),
        gives=302,
        at=lambda w: {"public_id": w.listed.public_id},
        says=_form(text="Are nights covered?"),
        but={"seller:*": Answer(409, "own_product")},
    ),
    Row(
        "POST",
        QUESTIONS + "<int:question_id>/answers/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=_question,
        says=_form(text="They are."),
    ),
    Row("GET", "/studio/", Own("look")),
    Row("POST", "/studio/", Own("edit_listing"), gives=302, says=_form(product_type="report")),
    Row("GET", "/studio/requests/", Own("look")),
    Row("GET", "/studio/numbers/", Own("look")),
    Row("GET", "/studio/numbers/<slug:what>.csv", Own("look"), at=lambda w: {"what": "steps"}),
    Row("GET", "/studio/numbers/<slug:what>.csv", Own("see_money"), at=lambda w: {"what": "revenue"}),
    Row("GET", PRODUCT + "notices/", Member("look", SELLERS), at=_draft),
    Row(
        "POST",
        PRODUCT + "notices/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=lambda w: {"public_id": w.listed.public_id},
        says=_form(kind="delay", text="A week late.", language="en", effective_on="2026-11-30"),
    ),
    Row("GET", PRODUCT + "split/", Member("see_money", SELLERS), at=_draft),
    Row(
        "POST",
        PRODUCT + "split/",
        Member("split_revenue", SELLERS),
        gives=302,
        at=lambda w: {"public_id": w.suspended.public_id},
        says=lambda w: {
            "form-TOTAL_FORMS": 1,
            "form-INITIAL_FORMS": 0,
            "form-0-kind": "broker",
            "form-0-percent": "2.5",
            "form-0-who": w.buyer.registration_number,
        },
    ),  # fmt: skip
    Row("GET", PRODUCT + "numbers/", Member("look", SELLERS), at=_draft),
    Row(
        "GET",
        PRODUCT + "numbers/<slug:what>.csv",
        Member("see_money", SELLERS),
        at=lambda w: _draft(w) | {"what": "revenue"},
    ),
    Row("GET", PRODUCT, Member("look", SELLERS), at=_draft),
    Row(
        "POST",
        PRODUCT + "withdrawal/",
        Member("withdraw_listing", SELLERS),
        gives=302,
        at=_draft,
        says=_form(reason="No longer kept up."),
    ),
    Row(
        "POST",
        PRODUCT + "sample/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=lambda w: {"public_id": w.in_window.version.listing.public_id},
        says=_form(),
    ),
    Row(
        "POST",
        PRODUCT + "sample/withdrawal/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=lambda w: {"public_id": w.listed.public_id},
        says=_form(),
    ),
    Row("POST", PRODUCT + "versions/", Member("edit_listing", SELLERS), gives=302, at=_fresh, says=_form()),
    Row("GET", PRODUCT + "versions/<int:number>/", Member("look", SELLERS), at=_draft_version),
    Row("GET", PRODUCT + "versions/<int:number>/preview/", Member("look", SELLERS), at=_draft_version),
    Row(
        "POST",
        PRODUCT + "versions/<int:number>/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=_draft_version,
        says=_form(title_en="Departures", coverage_until="2014-12-31"),
        records=False,
    ),
    Row(
        "POST",
        "/studio/<str:public_id>/versions/<int:number>/submission/",
        Member("submit", SELLERS),
        gives=302,
        at=_draft_version,
        says=_form(),
    ),
    Row("GET", PRODUCT + "versions/<int:number>/", Member("look", SELLERS), at=_asked_version),
    Row(
        "POST",
        "/studio/<str:public_id>/versions/<int:number>/taking-back/",
        Member("submit", SELLERS),
        gives=302,
        at=_asked_version,
        says=_form(),
    ),
    Row(
        "POST",
        "/studio/<str:public_id>/versions/<int:number>/questions/<int:question_id>/answer/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=lambda w: _asked_version(w) | {"question_id": w.question.pk},
        says=_form(answer="Since 2013."),
    ),
    Row(
        "POST",
        PRODUCT + "releases/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=_fresh,
        says=_form(label="another"),
    ),
    Row("GET", RELEASE, Member("look", SELLERS), at=_open_release),
    Row(
        "POST",
        RELEASE + "files/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=_open_release,
        says=lambda w: {"files": w.file()},
    ),
    Row("GET", RELEASE + "progress/", Member("look", SELLERS), at=_open_release),
    Row("POST", RELEASE + "seal/", Member("edit_listing", SELLERS), gives=302, at=_open_release, says=_form()),
    Row(
        "POST",
        RELEASE + "uploads/<slug:upload_id>/cancellation/",
        Member("edit_listing", SELLERS),
        gives=302,
        at=lambda w: _fresh(w) | {"release_id": w.arriving.pk, "upload_id": w.upload.public_id},
        says=_form(),
        records=False,
    ),
    Row("GET", PRODUCT + "offers/new/", Member("look", SELLERS), at=_draft),
    Row("POST", PRODUCT + "offers/new/", Member("offer", SELLERS), gives=302, at=_draft, says=_form(**PLAN)),
    Row("GET", PRODUCT + "offers/<slug:offer_id>/discounts/", Member("look", SELLERS), at=_named_offer),
    Row(
        "POST",
        PRODUCT + "offers/<slug:offer_id>/discounts/",
        Member("offer", SELLERS),
        gives=302,
        at=_named_offer,
        says=lambda w: {"percent": "5", "valid_from": _days(30), "valid_until": _days(40)},
    ),
    Row(
        "POST",
        PRODUCT + "offers/<slug:offer_id>/discounts/<slug:discount_id>/ending/",
        Member("offer", SELLERS),
        gives=302,
        at=lambda w: _named_offer(w) | {"discount_id": w.discount.public_id},
        says=_form(),
    ),
    Row(
        "POST",
        PRODUCT + "offers/<slug:offer_id>/closing/",
        Member("offer", SELLERS),
        gives=302,
        at=lambda w: {"public_id": w.listed.public_id, "offer_id": w.named_offer.public_id},
        says=_form(),
    ),
]


# --- joining the exchange ------------------------------------------------------------------------------------------


def _application(world):
    accepted = {"accepts_rules": "on", "rules_version": exchange_rules.CURRENT_VERSION}
    return facts_of("A House That Applies") | accepted


PROOF = "/organisation/papers/<int:proof_id>/"


def _proof(world):
    return {"proof_id": world.proof.pk}


def _paper(world):
    licence = b'<?xml version="1.0" encoding="UTF-8"?><licence/>'
    said = {"kind": "licence", "issuer": "A registry", "number": "8", "issued_on": "2026-01-01", "expires_on": ""}
    return said | {"file": SimpleUploadedFile("licence.xml", licence)}


APPLYING = [
    Row(
        "GET",
        "/apply/",
        # Who is verified or being vetted is led to where they stand.
        Given({"nobody": SIGN_IN, "seller:*": 302, "buyer:*": 302, "stranger": 302, "*": None}),
    ),
    Row(
        "POST",
        "/apply/",
        Own("apply", side="newcomer"),
        gives=302,
        says=_application,
        records=False,  # a member that is verified is led to where it stands
        but={"staff:*": 302, "seller:*": 302, "buyer:*": 302, "former": 422},
    ),
    Row(
        "POST",
        "/apply/sections/<slug:section>/",
        Own("apply", side="newcomer"),
        gives=302,
        at=lambda w: {"section": "representative"},
        says=_form(name="Lee Wai", position="Chair"),
    ),
    Row(
        "POST",
        "/apply/declaration/",
        Own("apply", side="newcomer"),
        gives=302,
        says=_form(is_restricted="no", text_version=declaration_text.CURRENT_VERSION, related_parties="None."),
    ),
    Row("GET", "/organisation/joint/", Own("apply")),
    Row(
        "POST",
        "/organisation/joint/",
        Own("apply"),
        gives=422,  # it is no joint merchant
        says=lambda w: {"public_id": w.buyer.public_id},
        records=False,
    ),
    Row(
        "POST",
        "/organisation/joint/<int:row_id>/consent/",
        Member("apply", ("seller",)),
        gives=302,
        at=lambda w: {"row_id": w.joint_row.pk},
        says=_form(),
    ),
    Row(
        "POST",
        "/organisation/joint/<int:row_id>/withdrawal/",
        Member("apply", ("seller",)),
        gives=302,
        at=lambda w: {"row_id": w.joint_row.pk},
        says=_form(),
    ),
    Row("GET", "/organisation/papers/", Own("apply")),
    Row("POST", "/organisation/papers/", Own("apply"), gives=302, says=_paper),
    Row("GET", PROOF + "file/", Member("apply", ("seller",)), at=_proof),
    Row("GET", PROOF + "pages/<int:page>.png", Member("apply", ("seller",)), at=lambda w: {**_proof(w), "page": 1}),
    Row("POST", PROOF + "withdrawal/", Member("apply", ("seller",)), gives=302, at=_proof, says=_form()),
    Row("GET", "/organisation/facts/", Own("apply"), but={"former": 302}),
    Row(
        "POST",
        "/organisation/changes/<int:change_id>/withdrawal/",
        Member("apply", ("seller",)),
        gives=302,
        at=lambda w: {"change_id": w.fact_change.pk},
        says=_form(),
    ),
    Row("GET", "/organisation/", Own("look")),
    Row("GET", "/rules/", Anyone()),
    Row("GET", "/rules/<str:version>/", Anyone(), at=lambda w: {"version": exchange_rules.CURRENT_VERSION}),
]


# --- trades and money ----------------------------------------------------------------------------------------------


def _trade(name):
    return lambda world: {"trade_id": getattr(world, name).trade.public_id}


def _act(name, act):
    return lambda world: {"trade_id": getattr(world, name).trade.public_id, "act": act}


ACT = "/trades/<str:trade_id>/<slug:act>/"
BUYERS = ("buyer",)
OWN_PRODUCT = Answer(422, "own_product")
TRADES = [
    Row(
        "GET",
        "/offers/<str:offer_id>/buy/",
        Given({"nobody": SIGN_IN, "seller:*": None, "buyer:*": None, "*": 404}),
        at=lambda w: {"offer_id": w.named_offer.public_id},
    ),
    Row(
        "GET",
        "/offers/<slug:public_id>/contract/",
        Given({"seller:*": None, "buyer:*": None, "*": 404}),
        at=lambda w: {"public_id": w.named_offer.public_id},
    ),
    Row(
        "POST",
        "/offers/<str:offer_id>/buy/",
        Member("propose", BUYERS),
        gives=302,
        at=lambda w: {"offer_id": w.named_offer.public_id},
        says=_form(purpose="Research", accept="on"),
        but={
            "seller:owner": OWN_PRODUCT,
            "seller:trader": OWN_PRODUCT,
            "seller:*": Answer(403, "role_needed"),
            "staff:*": 404,  # who acts for nobody sees what is open to all
        },
    ),
    Row("GET", "/orders/", Own("look")),
    Row("GET", "/sales/", Own("look")),
    Row("GET", "/quotes/", Own("look")),
    Row(
        "POST",
        "/offers/<str:offer_id>/quotes/",
        Member("propose", BUYERS),
        gives=302,
        at=lambda w: {"offer_id": w.named_offer.public_id},
        says=_form(purpose="Research"),
        but={
            "seller:owner": OWN_PRODUCT,
            "seller:trader": OWN_PRODUCT,
            "seller:*": Answer(403, "role_needed"),
            "staff:*": Answer(403, "no_organisation"),
        },
    ),
    Row("GET", "/trades/<str:trade_id>/", Member("look", BOTH), at=_trade("disputed")),
    Row("GET", "/trades/<str:trade_id>/evidence.zip", READERS, at=_trade("settled")),
    Row("GET", "/trades/<str:trade_id>/usage.csv", Member("look", BOTH), at=_trade("bill")),
    Row("GET", "/trades/<str:trade_id>/contract/", Member("look", BOTH), at=_trade("proposed")),
    Row("POST", ACT, Member("agree", SELLERS), gives=302, at=_act("proposed", "agree"), says=_form()),
    Row("POST", ACT, Member("decline", SELLERS), gives=302, at=_act("proposed", "decline"), says=_form()),
    Row("POST", ACT, Member("cancel", BUYERS), gives=302, at=_act("proposed", "cancel"), says=_form()),
    Row("POST", ACT, Member("pay", BUYERS), gives=302, at=_act("failed", "pay_again"), says=_form()),
    Row("POST", ACT, Member("accept", BUYERS), gives=302, at=_act("delivered", "accept"), says=_form()),
    Row("POST", ACT, Member("dispute", BUYERS), gives=302, at=_act("delivered", "dispute"), says=_form(reason="No.")),
    Row("POST", ACT, Member("pay", BUYERS), gives=302, at=_act("metered", "ask_bill"), says=_form()),
    Row("POST", ACT, Member("propose", BUYERS), gives=302, at=_act("metered", "end_metering"), says=_form()),
    Row("POST", ACT, Member("agree", SELLERS), gives=302, at=_act("metered", "give_notice"), says=_form()),
    Row("POST", ACT, Member("dispute", SELLERS), gives=302, at=_act("disputed", "answer"), says=_form(answer="Right.")),
    Row("GET", "/money/", Own("see_money")),
    Row("POST", "/money/", Own("manage_payout"), gives=302, says=_form(gateway="sandbox", reference="acct-new")),
    # without a gateway of that name there is nothing to open there
    Row("GET", "/money/stripe/", Own("manage_payout"), gives=404),
    Row("POST", "/money/stripe/", Own("manage_payout"), gives=404, records=False),
    Row("GET", "/money/stripe/back/", Own("manage_payout"), gives=404),
    Row("GET", "/invoices/", Own("see_money")),
    Row(
        "POST",
        "/invoices/<int:invoice_id>/electronic/",
        Member("manage_payout", SELLERS),
        gives=302,
        at=lambda w: {"invoice_id": w.invoice.pk},
        says=_form(number="26312000000123456789"),
    ),
    Row("POST", "/money/tax-status/", Own("manage_payout"), gives=302, says=_form(status="general")),
    Row(
        "POST",
        "/money/accounts/<int:account_id>/<slug:act>/",
        Member("manage_payout", ("buyer",)),
        gives=302,
        at=lambda w: {"account_id": w.waiting_account.pk, "act": "drop"},
        says=_form(),
    ),
    Row("POST", "/money/netting/", Own("choose_netting"), gives=409, says=_form(), records=False),  # not_domestic
    Row(
        "POST",
        "/money/nettings/<int:netting_id>/stopping/",
        Member("choose_netting", SELLERS),
        gives=302,
        at=lambda w: {"netting_id": w.netting.pk},
        says=_form(),
    ),
    Row("GET", "/money/shares/", Own("see_money")),
    Row(
        "POST",
        "/money/splits/<int:split_id>/<slug:act>/",
        Member("split_revenue", BUYERS),
        gives=302,
        at=lambda w: {"split_id": w.split.pk, "act": "agreement"},
        says=_form(),
    ),
    Row(
        "POST",
        "/money/splits/<int:split_id>/<slug:act>/",
        Member("split_revenue", SELLERS),
        gives=302,
        at=lambda w: {"split_id": w.split.pk, "act": "withdrawal"},
        says=_form(),
    ),
    Row("GET", "/money/cleared.csv", Own("see_money")),
    Row(
        "GET",
        "/money/statements/<int:statement_id>/",
        Member("see_money", SELLERS),
        at=lambda w: {"statement_id": w.statement.pk},
    ),
    Row(
        "GET",
        "/money/statements/<int:statement_id>.csv",
        Member("see_money", SELLERS),
        at=lambda w: {"statement_id": w.statement.pk},
    ),
    Row(
        "GET",
        "/sandbox/pay/<str:reference>/",
        SignedIn(),  # the sandbox's bank knows nobody: whoever has the link of a payment pays it
        at=lambda w: {"reference": w.payment_order.reference},
        tells=lambda w: [w.registered.trade.public_id],
    ),
    Row(
        "POST",
        "/sandbox/pay/<str:reference>/",
        SignedIn(),
        gives=302,
        at=lambda w: {"reference": w.payment_order.reference},
        says=_form(act="pay"),
        records=False,
    ),
    Row(
        "GET",
        "/data/files/<str:token>/<str:name>",
        # The link is the key, for programs that fetch files; somebody else who is signed in has no use for it.
        Given({"nobody": None, "buyer:owner": None, "*": Answer(403, "link_foreign")}),
        at=lambda w: w.link,
        records=False,
    ),
]

ROWS = [*GROUND, *PRODUCTS, *APPLYING, *TRADES]
