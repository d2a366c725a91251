"""The API's table of the ground and of listings: each route, each method it answers, and who may."""

from __future__ import annotations

import datetime as dt

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT

from marketplace import clock
from tests.tenancy.rules import Answer, Anyone, Given, Member, Own, Readers, Row, SignedIn, Staff
from tests.tenancy.world import facts_of

API = "/api/v1"
ORGANISATION = f"{API}/organisations/<str:public_id>"
LISTING = f"{API}/listings/<slug:public_id>"
RELEASE = f"{LISTING}/releases/<int:release_id>"

WEBHOOK = f"{API}/webhooks/<int:webhook_id>"
OF_SELLER = Member("manage_tokens", ("seller",))

UNAUTHENTICATED = Answer(401, "not_authenticated")


def _in_window(world):
    return {"number": world.in_window.number}


def _webhook(world):
    return {"webhook_id": world.webhook.pk}


def of_seller(world):
    return {"public_id": world.seller.public_id}


def _paper(world):
    return {**of_seller(world), "proof_id": world.proof.pk}


def _licence(world):
    content = b'<?xml version="1.0" encoding="UTF-8"?><licence/>'
    return {"kind": "licence", "issuer": "A registry", "file": SimpleUploadedFile("licence.xml", content)}


def _leaver(world):
    return {"public_id": world.seller.public_id, "membership_id": world.leaver.pk}


GROUND = [
    Row("GET", f"{API}/schema", Anyone()),
    Row("GET", f"{API}/docs", Anyone()),
    Row("GET", f"{API}/<path:rest>", Anyone(), gives=404, at=lambda w: {"rest": "nowhere"}),
    Row("POST", f"{API}/<path:rest>", Anyone(), gives=404, at=lambda w: {"rest": "nowhere"}, records=False),
    Row("GET", f"{API}/me", SignedIn()),
    Row("GET", f"{API}/organisations", SignedIn()),
    Row("POST", f"{API}/organisations", SignedIn(), gives=201, says=lambda w: facts_of("Anyone's Own House")),
    Row("GET", ORGANISATION, Member("look", ("seller",), is_named=True), at=of_seller),
    Row("GET", f"{ORGANISATION}/members", Member("look", ("seller",), is_named=True), at=of_seller),
    Row(
        "POST",
        f"{ORGANISATION}/members/<int:membership_id>/role",
        Member("manage_members", ("seller",), is_named=True),
        at=_leaver,
        says=lambda w: {"role": "finance"},
    ),
    Row(
        "POST",
        f"{ORGANISATION}/members/<int:membership_id>/departure",
        Member("manage_members", ("seller",), is_named=True),
        at=_leaver,
        says=lambda w: {},
    ),
    Row("GET", f"{ORGANISATION}/joint-members", Member("apply", ("seller",), is_named=True), at=of_seller),
    Row(
        "POST",
        f"{ORGANISATION}/joint-members",
        Member("apply", ("seller",), is_named=True),
        gives=422,  # it is no joint merchant
        at=of_seller,
        says=lambda w: {"member": w.buyer.public_id},
        records=False,
    ),
    Row(
        "POST",
        f"{ORGANISATION}/joint-members/<int:row_id>/consent",
        Member("apply", ("seller",), is_named=True),
        at=lambda w: {**of_seller(w), "row_id": w.joint_row.pk},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{ORGANISATION}/joint-members/<int:row_id>/withdrawal",
        Member("apply", ("seller",), is_named=True),
        at=lambda w: {**of_seller(w), "row_id": w.joint_row.pk},
        says=lambda w: {},
    ),
    Row("GET", f"{ORGANISATION}/papers", Member("apply", ("seller",), is_named=True), at=of_seller),
    Row(
        "POST",
        f"{ORGANISATION}/papers",
        Member("apply", ("seller",), is_named=True),
        gives=201,
        at=of_seller,
        says=_licence,
        content_type=MULTIPART_CONTENT,
    ),
    Row("GET", f"{ORGANISATION}/papers/<int:proof_id>/file", Member("apply", ("seller",), is_named=True), at=_paper),
    Row(
        "POST",
        f"{ORGANISATION}/papers/<int:proof_id>/withdrawal",
        Member("apply", ("seller",), is_named=True),
        at=_paper,
        says=lambda w: {},
    ),
    Row("GET", f"{ORGANISATION}/dossier", Member("apply", ("seller",), is_named=True), at=of_seller),
    Row(
        "POST",
        f"{ORGANISATION}/dossier/<slug:section>",
        Member("apply", ("seller",), is_named=True),
        at=lambda w: {**of_seller(w), "section": "representative"},
        says=lambda w: {"facts": {"name": "Lee Wai", "position": "Chair"}},
    ),
    Row(
        "POST",
        f"{ORGANISATION}/declarations",
        Member("apply", ("seller",), is_named=True),
        gives=201,
        at=of_seller,
        says=lambda w: {"text_version": "2026-11", "is_restricted": False, "related_parties": "None."},
    ),
    Row(
        "POST",
        f"{ORGANISATION}/changes/<int:change_id>/withdrawal",
        Member("apply", ("seller",), is_named=True),
        at=lambda w: {**of_seller(w), "change_id": w.fact_change.pk},
        says=lambda w: {},
    ),
    Row("GET", f"{ORGANISATION}/invitations", Member("manage_members", ("seller",), is_named=True), at=of_seller),
    Row(
        "POST",
        f"{ORGANISATION}/invitations",
        Member("manage_members", ("seller",), is_named=True),
        gives=201,
        at=of_seller,
        says=lambda w: {"email": "somebody@example.com", "role": "viewer"},
    ),
    Row(
        "POST",
        f"{ORGANISATION}/invitations/<int:invitation_id>/withdrawal",
        Member("manage_members", ("seller",), is_named=True),
        at=lambda w: {"public_id": w.seller.public_id, "invitation_id": w.invitation.pk},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{API}/invitations/acceptance",
        Given({"nobody": UNAUTHENTICATED, "stranger": None, "*": Answer(403, "other_address")}),
        gives=201,
        says=lambda w: {"secret": w.join_secret},
    ),
    Row("GET", f"{API}/announcements", Anyone()),
    Row(
        "POST",
        f"{API}/announcements",
        Staff(acts=("announce",)),
        gives=201,
        says=lambda w: {
            "kind": "maintenance",
            "severity": "warning",
            "audience": "members",
            "titles": {"en": "Closed on Sunday"},
            "starts_at": "2026-01-01T09:00:00Z",
            "ends_at": "2126-01-01T09:00:00Z",
            "why": "A new disk.",
        },
    ),
    Row(
        "POST",
        f"{API}/announcements/<str:public_id>/withdrawal",
        Staff(acts=("announce",)),
        at=lambda w: {"public_id": w.announcement.public_id},
        says=lambda w: {"why": "It was wrong."},
    ),
    Row("GET", f"{API}/tokens", SignedIn()),
    Row(
        "POST",
        f"{API}/tokens",
        SignedIn(),
        gives=201,
        says=lambda w: {"name": "A script", "scopes": ["read"]},
    ),
    Row(
        "POST",
        f"{API}/tokens",
        Own("manage_tokens"),
        gives=201,
        says=lambda w: {"name": "A script", "scopes": ["read"], "is_for_organisation": True},
    ),
    Row(
        "POST",
        f"{API}/tokens/<int:token_id>/revocation",
        Given({"nobody": UNAUTHENTICATED, "seller:owner": None, "*": 404}),
        at=lambda w: {"token_id": w.token.pk},
        says=lambda w: {},
    ),
    Row("GET", f"{API}/notifications", SignedIn()),
    Row("POST", f"{API}/notifications/reading", SignedIn(), says=lambda w: {}, records=False),
    Row("GET", f"{API}/notifications/settings", SignedIn()),
    Row(
        "POST",
        f"{API}/notifications/settings",
        SignedIn(),
        says=lambda w: {"kind": "question.asked", "in_app": True, "by_mail": False},
        records=False,
    ),
    Row(
        "POST",
        f"{API}/notifications/<int:notification_id>/reading",
        Given({"nobody": UNAUTHENTICATED, "seller:owner": None, "*": 404}),
        at=lambda w: {"notification_id": w.told.pk},
        says=lambda w: {},
        records=False,
    ),
    Row("GET", f"{API}/webhook-events", SignedIn()),
    Row("GET", f"{API}/webhooks", Own("manage_tokens")),
    Row("POST", f"{API}/webhooks", Own("manage_tokens"), gives=201, says=lambda w: {"url": "https://h.example.com/"}),
    Row("GET", WEBHOOK, OF_SELLER, at=_webhook),
    Row("POST", WEBHOOK, OF_SELLER, at=_webhook, says=lambda w: {"url": "https://h.example.com/", "kinds": []}),
    Row("POST", f"{WEBHOOK}/rotation", OF_SELLER, at=_webhook, says=lambda w: {}),
    Row("POST", f"{WEBHOOK}/test", OF_SELLER, gives=201, at=_webhook, says=lambda w: {}, records=False),
    Row("POST", f"{WEBHOOK}/removal", OF_SELLER, at=_webhook, says=lambda w: {}),
    Row(
        "POST",
        f"{WEBHOOK}/replays",
        OF_SELLER,
        at=_webhook,
        says=lambda w: {"since": "2026-01-01T00:00:00Z"},
        records=False,
    ),
    Row("GET", f"{WEBHOOK}/deliveries", OF_SELLER, at=_webhook),
    Row(
        "POST",
        f"{WEBHOOK}/deliveries/<int:delivery_id>/replay",
        OF_SELLER,
        at=lambda w: _webhook(w) | {"delivery_id": w.webhook_delivery.pk},
        says=lambda w: {},
        records=False,
    ),
    Row("GET", f"{API}/papers", SignedIn()),
    Row("GET", f"{API}/papers/<str:number>", Anyone(), at=lambda w: {"number": w.certificate.number}),
    Row(
        "GET",
        f"{API}/papers/<str:number>/pdf",
        Readers(otherwise=403, nobody=Answer(403, "wrong_check_code")),
        at=lambda w: {"number": w.certificate.number},
    ),
    Row(
        "GET",
        f"{API}/papers/<str:number>/pdf",
        Anyone(),
        at=lambda w: {"number": w.certificate.number},
        asks=lambda w: {"code": w.certificate.check_code},
    ),
    Row(
        "POST",
        f"{API}/papers/<str:number>/revocation",
        Staff(acts=("revoke_paper",)),
        gives=201,
        at=lambda w: {"number": w.certificate.number},
        says=lambda w: {"reason": "Issued by mistake."},
    ),
    Row(
        "POST",
        f"{API}/papers/<str:number>/revocation/confirmation",
        Staff(acts=("revoke_paper",)),
        at=lambda w: {"number": w.contract.number},
        says=lambda w: {},
    ),
]


# --- listings ------------------------------------------------------------------------------------------------------


def _fresh(world):
    return {"public_id": world.fresh.public_id}


QUESTIONS = f"{API}/products/<slug:public_id>/questions"


def _question(world):
    return {"public_id": world.listed.public_id, "question_id": world.question_waiting.pk}


def _draft(world):
    return {"public_id": world.draft.listing.public_id}


def draft_version(world):
    return {"public_id": world.draft.listing.public_id, "number": world.draft.number}


def _days(number):
    return (clock.now() + dt.timedelta(days=number)).isoformat()


def _open_release(world):
    return {"public_id": world.fresh.public_id, "release_id": world.release.pk}


def _sealed_release(world):
    return {"public_id": world.draft.listing.public_id, "release_id": world.draft.release_id}


def _upload(world):
    return {"public_id": world.upload.public_id}


def _offer(world):
    return {
        "name": "Another plan",
        "price_minor": 100,
        "currency": "HKD",
        "terms": world.on_request.terms,
    }


SELLERS = ("seller",)
LISTINGS = [
    Row("GET", f"{API}/catalogue", Anyone()),
    Row("GET", f"{API}/register", Anyone()),
    Row("GET", f"{API}/register/<str:number>", Anyone(), at=_in_window),
    Row(
        "POST",
        f"{API}/register/<str:number>/objections",
        SignedIn(),
        gives=201,
        at=_in_window,
        says=lambda w: {"reason": "Ours."},
        but={"seller:*": Answer(409, "own_product")},
    ),
    Row(
        "GET",
        f"{API}/catalogue/entries/<slug:public_id>",
        Anyone(),
        at=lambda w: {"public_id": w.entry.public_id},
    ),
    Row("GET", f"{API}/compare", Anyone(), asks=lambda w: {"p": w.listed.public_id}),
    Row("GET", f"{API}/products/<slug:public_id>", Anyone(), at=lambda w: {"public_id": w.listed.public_id}),
    Row(
        "POST",
        f"{API}/products/<slug:public_id>/reports",
        SignedIn(),
        gives=201,
        at=lambda w: {"public_id": w.listed.public_id},
        says=lambda w: {"category": "rights", "text": "It is ours."},
        but={"seller:*": Answer(409, "own_product")},
    ),
    Row("GET", QUESTIONS, Anyone(), at=lambda w: {"public_id": w.listed.public_id}),
    Row(
        "POST",
        QUESTIONS,
        Own("look", side="buyer"),
        gives=201,
        at=lambda w: {"public_id": w.listed.public_id},
        says=lambda w: {"text": "Are nights covered?"},
        but={"seller:*": Answer(409, "own_product")},
    ),
    Row(
        "POST",
        f"{QUESTIONS}/<int:question_id>/answers",
        Member("edit_listing", SELLERS),
        gives=201,
        at=_question,
        says=lambda w: {"text": "They are."},
    ),
    Row("GET", f"{API}/listings", Own("look")),
    Row("POST", f"{API}/listings", Own("edit_listing"), gives=201, says=lambda w: {"product_type": "report"}),
    Row("GET", LISTING, Member("look", SELLERS), at=_draft),
    Row(
        "POST",
        LISTING + "/sample",
        Member("edit_listing", SELLERS),
        gives=201,
        at=lambda w: {"public_id": w.in_window.version.listing.public_id},
        says=lambda w: {},
    ),
    Row(
        "POST",
        LISTING + "/sample/withdrawal",
        Member("edit_listing", SELLERS),
        at=lambda w: {"public_id": w.listed.public_id},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{LISTING}/withdrawal",
        Member("withdraw_listing", SELLERS),
        at=_draft,
        says=lambda w: {"reason": "No longer kept up."},
    ),
    Row(
        "POST",
        f"{LISTING}/suspension",
        Staff(acts=("suspend_listing",)),
        at=lambda w: {"public_id": w.listed.public_id},
        says=lambda w: {"reason": "Being looked into."},
    ),
    Row(
        "POST",
        f"{LISTING}/resumption",
        Staff(acts=("suspend_listing",)),
        at=lambda w: {"public_id": w.suspended.public_id},
        says=lambda w: {},
    ),
    Row("GET", f"{LISTING}/versions", Member("look", SELLERS), at=_draft),
    Row("POST", f"{LISTING}/versions", Member("edit_listing", SELLERS), gives=201, at=_fresh, says=lambda w: {}),
    Row("GET", f"{LISTING}/versions/<int:number>", Member("look", SELLERS), at=draft_version),
    Row(
        "PATCH",
        f"{LISTING}/versions/<int:number>",
        Member("edit_listing", SELLERS),
        at=draft_version,
        says=lambda w: {"coverage_until": "2014-12-31"},
        records=False,
    ),
    Row(
        "POST",
        f"{LISTING}/versions/<int:number>/dictionary",
        Member("edit_listing", SELLERS),
        at=draft_version,
        says=lambda w: {},
        records=False,
    ),
    Row("GET", f"{LISTING}/releases", Member("look", SELLERS), at=_fresh),
    Row(
        "POST",
        f"{LISTING}/releases",
        Member("edit_listing", SELLERS),
        gives=201,
        at=_fresh,
        says=lambda w: {"label": "another"},
    ),
    Row("GET", RELEASE, Member("look", SELLERS), at=_open_release),
    Row("POST", f"{RELEASE}/seal", Member("edit_listing", SELLERS), at=_open_release, says=lambda w: {}),
    Row("GET", f"{RELEASE}/profile", Member("look", SELLERS), at=_sealed_release),
    Row(
        "POST",
        f"{RELEASE}/uploads",
        Member("edit_listing", SELLERS),
        gives=201,
        at=_open_release,
        says=lambda w: {"path": "c.csv", "size_bytes": 3},
        records=False,
    ),
    Row(
        "PUT",
        f"{RELEASE}/files/<path:path>",
        Member("edit_listing", SELLERS),
        gives=201,
        at=lambda w: _open_release(w) | {"path": "folder/d.csv"},
        says=lambda w: {"a": 1},
        content_type="application/octet-stream",
    ),
    Row("GET", f"{LISTING}/offers", Member("look", SELLERS), at=lambda w: {"public_id": w.listed.public_id}),
    Row("POST", f"{LISTING}/offers", Member("offer", SELLERS), gives=201, at=_draft, says=_offer),
    Row(
        "GET",
        f"{API}/offers/<slug:public_id>/discounts",
        Member("look", SELLERS),
        at=lambda w: {"public_id": w.named_offer.public_id},
    ),
    Row(
        "POST",
        f"{API}/offers/<slug:public_id>/discounts",
        Member("offer", SELLERS),
        gives=201,
        at=lambda w: {"public_id": w.named_offer.public_id},
        says=lambda w: {"percent": 5, "valid_from": _days(30), "valid_until": _days(40)},
    ),
    Row(
        "POST",
        f"{API}/discounts/<slug:public_id>/ending",
        Member("offer", SELLERS),
        at=lambda w: {"public_id": w.discount.public_id},
        says=lambda w: {},
    ),
    Row(
        "POST",
        f"{API}/offers/<slug:public_id>/closing",
        Member("offer", SELLERS),
        at=lambda w: {"public_id": w.named_offer.public_id},
        says=lambda w: {},
    ),
    Row("GET", f"{API}/uploads/<slug:public_id>", Member("look", SELLERS), at=_upload),
    Row(
        "PATCH",
        f"{API}/uploads/<slug:public_id>",
        Member("edit_listing", SELLERS),
        gives=204,
        at=_upload,
        says=lambda w: {},
        headers=lambda w: {"Upload-Offset": "0"},
        content_type="application/offset+octet-stream",
        records=False,
    ),
    Row(
        "GET",
        f"{API}/uploads/<slug:public_id>/parts",
        Member("edit_listing", SELLERS),
        gives=409,  # where files lie in a folder nothing goes in parts
        at=_upload,
        records=False,
    ),
    Row(
        "POST",
        f"{API}/uploads/<slug:public_id>/completion",
        Member("edit_listing", SELLERS),
        gives=409,
        at=_upload,
        says=lambda w: {},
        records=False,
    ),
    Row("GET", f"{API}/allowance", Own("look")),
    Row(
        "POST",
        f"{API}/organisations/<str:public_id>/quota",
        Staff(acts=("set_quota",)),
        at=lambda w: {"public_id": w.seller.public_id},
        says=lambda w: {"most_bytes": 1, "most_files": 1, "reason": "A trial"},
    ),
    Row(
        "DELETE",
        f"{API}/uploads/<slug:public_id>",
        Member("edit_listing", SELLERS),
        gives=204,
        at=_upload,
        records=False,
    ),
]

ROWS = [*GROUND, *LISTINGS]
