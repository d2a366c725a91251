"""Anyone checks a paper; only its check code, or being one of its readers, shows what it says."""

from __future__ import annotations

import hashlib
import json
import logging

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from marketplace import documents, journal, paper_checks, paper_words
from marketplace.documents import party
from marketplace.log_lines import Line
from marketplace.models import Membership, Organisation, Paper, User
from marketplace.numbers import new_number
from tests.factories import make_member, make_organisation, make_staff, make_user, owner_of
from tests.pdf_text import text_of

pytestmark = pytest.mark.django_db
DIGEST = "sha256:" + "9f86d081" * 8
LICENCE = {"may": [{"code": "a", "text": "Use it", "kept": "contractual"}], "may_not": [], "must": []}


@pytest.fixture
def buyer() -> Organisation:
    return make_organisation("Lakeside Research")


@pytest.fixture
def seller() -> Organisation:
    return make_organisation("港灣指標有限公司")


@pytest.fixture
def certificate(buyer, seller) -> Paper:
    moments = {
        f"{act}_at": "2026-11-20T03:00:00+00:00"
        for act in ("proposed", "agreed", "registered", "funded", "delivered", "accepted", "cleared", "settled")
    }
    record = {
        "trade_number": new_number("trade"),
        "register_number": new_number("product"),
        "seller": party(seller),
        "buyer": party(buyer),
        "titles": {"en": "Departures <b>of</b> New York", "zh-hans": "纽约航班", "zh-hant": "紐約航班"},
        "product_type": "dataset",
        "version": 2,
        "licence": {"en": LICENCE, "zh-hans": LICENCE, "zh-hant": LICENCE},
        "price_minor": 1_234_567,
        "currency": "HKD",
        "delivery_digest": DIGEST,
        "journal": {"position": 48_113, "size": 48_120, "root": "ab" * 32},
        **moments,
    }
    return documents.issue(
        "trade_certificate", seller, title="Departures of New York", record=record, readers=[buyer, seller]
    )


@pytest.fixture
def statement(seller) -> Paper:
    line = {"gross_minor": 10_000, "fee_minor": 250, "net_minor": 9_750}
    record = {
        "member": party(seller),
        "cycle": "17",
        "cleared_at": "2026-11-20T03:00:00+00:00",
        "currency": "HKD",
        "lines": [{"trade_number": new_number("trade"), "titles": {"en": "Departures"}, **line}],
        "totals": line,
        "payout_reference": None,
    }
    return documents.issue("settlement_statement", seller, title="17 · HKD", record=record, readers=[seller])


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


SECRETS = ["Lakeside Research", "港灣指標有限公司", "12,345.67", "1234567", DIGEST, "48113", "48,113", "ab" * 32]


def test_by_its_number_a_stranger_sees_validity_kind_product_and_date_and_nothing_else(client, certificate):
    page = client.get(f"/verify/{certificate.number}/")
    said = page.content.decode()
    assert page.status_code == 200
    for shown in ["This paper is valid", "Trade Certificate", "Departures &lt;b&gt;of&lt;/b&gt; New York"]:
        assert shown in said
    assert timezone.localtime(certificate.issued_at).date().isoformat() in said
    answer = client.get(f"/api/v1/papers/{certificate.number}").json()
    assert answer == {
        "number": certificate.number,
        "kind": "trade_certificate",
        "title": "Departures of New York",
        "issued_at": timezone.localtime(certificate.issued_at).isoformat(),
        "is_sandbox": False,
        "is_valid": True,
        "revoked_at": None,
        "revoked_because": None,
        "lapsed_at": None,
        "digest": None,
        "record": None,
        "journal_position": None,
        "annotations": [],
    }
    for secret in [*SECRETS, certificate.check_code]:
        assert secret not in said
        assert secret not in json.dumps(answer, ensure_ascii=False)


def test_with_its_check_code_anyone_sees_the_whole_record(client, certificate):
    journal.seal()
    position = journal.of(certificate).get().seal.position
    url = documents.verify_url(certificate).removeprefix("http://127.0.0.1:8000")
    page = client.get(url)
    said = page.content.decode()
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    for shown in [
        "Lakeside Research",
        "港灣指標有限公司",
        "12,345.67",
        DIGEST,
        "entry 48113, in a tree of 48120",
        "Use it",
    ]:
        assert shown in said
    assert f"Its issue, with the digest of its record, is entry {position} of the exchange" in said
    answer = client.get(f"/api/v1/papers/{certificate.number}?code={certificate.check_code}")
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["record"] == certificate.record
    assert answer.json()["digest"] == certificate.digest
    assert answer.json()["journal_position"] == position


def test_the_record_can_be_hashed_by_anyone(client, certificate):
    record = client.get(f"/verify/{certificate.number}/record.json?code={certificate.check_code}")
    assert "sha256:" + hashlib.sha256(record.content).hexdigest() == certificate.digest
    assert record["Content-Disposition"] == f'attachment; filename="{certificate.number}.json"'


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Trade Certificate"), ("zh-hans", "数据交易凭证"), ("zh-hant", "數據交易憑證")]
)
def test_the_pdf_is_had_in_three_languages_with_the_check_code(client, certificate, language, title):
    pdf = client.get(f"/verify/{certificate.number}/{language}.pdf?code={certificate.check_code}")
    assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")
    assert title in text_of(pdf.content)
    api = client.get(f"/api/v1/papers/{certificate.number}/pdf?language={language}&code={certificate.check_code}")
    assert api.content == pdf.content


@pytest.mark.parametrize("code", ["", "?code=", "?code=0000-0000-0000-0000"])
@pytest.mark.parametrize("what", ["en.pdf", "record.json"])
def test_without_the_check_code_nothing_is_handed_out(client, certificate, what, code):
    refused = client.get(f"/verify/{certificate.number}/{what}{code}")
    assert refused.status_code == 403
    assert "wrong_check_code" in refused.content.decode()
    assert client.get(f"/api/v1/papers/{certificate.number}/pdf{code}").json()["code"] == "wrong_check_code"


def test_there_is_no_pdf_in_another_language(client, certificate):
    code = certificate.check_code
    assert client.get(f"/verify/{certificate.number}/fr.pdf?code={code}").status_code == 404
    assert client.get(f"/api/v1/papers/{certificate.number}/pdf?language=fr&code={code}").status_code == 404


def test_a_wrong_code_says_so_and_shows_no_more_than_the_number_does(client, certificate):
    page = client.get(f"/verify/{certificate.number}/?code=0000-0000-0000-0000")
    said = page.content.decode()
    assert page.status_code == 403
    assert "The check code is not that of this paper" in said
    assert "Departures" in said
    for secret in SECRETS:
        assert secret not in said
    answer = client.get(f"/api/v1/papers/{certificate.number}?code=0000-0000-0000-0000")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_check_code")


def test_a_revoked_paper_says_when_and_why_to_anyone(client, certificate):
    asked = documents.ask_revocation(certificate, reason="Source <i>disputed</i>", by=make_staff("review"))
    assert "This paper is valid" in client.get(f"/verify/{certificate.number}/").content.decode()
    assert client.get(f"/api/v1/papers/{certificate.number}").json()["revoked_because"] is None
    confirmed = documents.confirm_revocation(asked, by=make_staff("clearing"))
    said = client.get(f"/verify/{certificate.number}/").content.decode()
    assert "This paper was revoked" in said
    assert "Source &lt;i&gt;disputed&lt;/i&gt;" in said
    assert "This paper is valid" not in said
    answer = client.get(f"/api/v1/papers/{certificate.number}").json()
    assert (answer["is_valid"], answer["revoked_because"]) == (False, "Source <i>disputed</i>")
    assert answer["revoked_at"] == timezone.localtime(confirmed.revoked_at).isoformat()


def test_an_unknown_number_is_404_on_page_and_api(client, certificate):
    unknown = new_number("trade_certificate")
    for number in (unknown, "TC-0000", "%E2%80%AE", "../admin"):
        page = client.get(f"/verify/{number}/")
        assert page.status_code == 404
    assert "We know no such paper" in client.get(f"/verify/{unknown}/").content.decode()
    answer = client.get(f"/api/v1/papers/{unknown}?code={certificate.check_code}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_unknown_and_known_numbers_ask_the_database_alike(certificate, django_assert_num_queries):
    for number in (certificate.number, new_number("trade_certificate")):
        with django_assert_num_queries(1):
            try:
                paper_checks.look_up(number, "0000-0000-0000-0000", asker="198.51.100.7")
            except paper_checks.NoSuchPaper:
                assert number != certificate.number


def test_a_number_typed_as_people_type_finds_its_paper(client, certificate):
    typed = certificate.number.lower().replace("-", " ")
    answer = client.get("/verify/", {"number": typed, "code": certificate.check_code.lower()})
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, f"/verify/{certificate.number}/")
    assert "Lakeside Research" in client.get(answer["Location"]).content.decode()
    assert client.get(f"/verify/{certificate.number.lower()}/")["Location"] == f"/verify/{certificate.number}/"
    wrong = client.get("/verify/", {"number": "TC-<script>"})
    assert wrong.status_code == 422
    assert "<script>TC" not in wrong.content.decode() and "TC-&lt;script&gt;" in wrong.content.decode()
    assert client.get("/verify/").status_code == 200


def test_who_guesses_codes_is_stopped_even_from_the_right_one_and_others_are_not(client, certificate):
    for _try in range(paper_checks.MISSES_ALLOWED):
        assert client.get(f"/verify/{certificate.number}/?code=0000-0000-0000-0000").status_code == 403
    right = f"/verify/{certificate.number}/?code={certificate.check_code}"
    stopped = client.get(right)
    assert stopped.status_code == 429
    assert "Lakeside Research" not in stopped.content.decode()
    api = client.get(f"/api/v1/papers/{certificate.number}?code={certificate.check_code}")
    assert (api.status_code, api.json()["code"]) == (429, "too_many")
    assert Client(REMOTE_ADDR="198.51.100.7").get(right).status_code == 200


def test_unknown_numbers_count_as_guesses_too(client, certificate):
    for _try in range(paper_checks.MISSES_ALLOWED):
        assert client.get(f"/verify/{new_number('trade_certificate')}/").status_code == 404
    assert client.get(f"/verify/{certificate.number}/").status_code == 429


def test_pdfs_for_strangers_are_counted(client, certificate, monkeypatch):
    monkeypatch.setattr(paper_checks, "RENDERINGS_ALLOWED", 1)
    url = f"/verify/{certificate.number}/en.pdf?code={certificate.check_code}"
    assert client.get(url).status_code == 200
    assert client.get(url).status_code == 429


def test_a_lost_redis_does_not_close_the_check(client, certificate, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    cache.close()
    page = client.get(f"/verify/{certificate.number}/?code={certificate.check_code}")
    assert page.status_code == 200
    assert "Lakeside Research" in page.content.decode()
    assert client.get(f"/verify/{certificate.number}/?code=0000-0000-0000-0000").status_code == 403


def test_the_face_says_when_no_money_moved(client, seller):
    record = {
        "register_number": new_number("product"),
        "holder": party(seller),
        "titles": {"en": "A"},
        "product_type": "dataset",
        "version": 1,
        "rights": {"holding": {"held": True, "basis": "Own work"}, "use": {"held": False}, "operation": {"held": True}},
        "source_statement": "Made by us.\nTwice.",
        "lawful_basis": "open",
        "classification": "general_1",
        "has_personal_data": False,
        "release_digest": DIGEST,
        "registered_at": "2026-11-20T03:00:00+00:00",
    }
    paper = documents.issue(
        "registration_certificate", seller, title="A", record=record, readers=[seller], is_sandbox=True
    )
    said = client.get(f"/verify/{paper.number}/").content.decode()
    assert "No money moved" in said
    whole = client.get(f"/verify/{paper.number}/?code={paper.check_code}").content.decode()
    for shown in [
        "Right to hold the data resource: Own work",
        "not claimed",
        "Openly licensed",
        "Made by us.<br>Twice.",
    ]:
        assert shown in whole


# --- readers -------------------------------------------------------------------------------------------------------


def test_readers_see_their_papers_and_strangers_do_not(certificate, buyer, seller):
    url = f"/papers/{certificate.number}/"
    for reader in (owner_of(buyer), owner_of(seller), make_member(buyer, "viewer")):
        page = signed_in(reader).get(url)
        assert page.status_code == 200
        assert "12,345.67" in page.content.decode()
        assert certificate.number in signed_in(reader).get("/papers/").content.decode()
        assert signed_in(reader).get(f"{url}zh-hans.pdf").status_code == 200
        assert signed_in(reader).get(f"{url}record.json").status_code == 200
        assert signed_in(reader).get(f"/api/v1/papers/{certificate.number}").json()["digest"] == certificate.digest
    stranger = signed_in(owner_of(make_organisation()))
    for path in (url, f"{url}en.pdf", f"{url}record.json"):
        assert stranger.get(path).status_code == 404
        assert Client().get(path).status_code == 302
    assert certificate.number not in stranger.get("/papers/").content.decode()
    assert stranger.get("/api/v1/papers").json()["results"] == []
    assert stranger.get(f"/api/v1/papers/{certificate.number}").json()["record"] is None
    nobody = signed_in(make_user())
    assert nobody.get(url).status_code == 404
    assert nobody.get("/papers/").status_code == 200
    assert Client().get("/api/v1/papers").status_code == 401


def test_who_left_reads_no_more(certificate, buyer):
    person = make_member(buyer, "trader")
    assert signed_in(person).get(f"/papers/{certificate.number}/").status_code == 200
    Membership.objects.filter(user=person).update(ended_at="2026-11-20T00:00Z")
    assert signed_in(person).get(f"/papers/{certificate.number}/").status_code == 404


def test_statements_are_for_those_who_see_money(statement, seller):
    url = f"/papers/{statement.number}/"
    finance, steward = make_member(seller, "finance"), make_member(seller, "data_steward")
    said = signed_in(finance).get(url).content.decode()
    for shown in ["Clearing cycle 17 · HKD", "100.00", "2.50", "97.50", "Nothing to pay out"]:
        assert shown in said
    refused = signed_in(steward).get(url)
    assert refused.status_code == 403
    assert "role_needed" in refused.content.decode()
    assert signed_in(steward).get(f"{url}record.json").status_code == 403
    assert statement.number not in signed_in(steward).get("/papers/").content.decode()
    assert statement.number in signed_in(finance).get("/papers/?kind=settlement_statement").content.decode()
    assert signed_in(finance).get("/api/v1/papers?kind=trade_contract").json()["results"] == []
    assert [one["number"] for one in signed_in(finance).get("/api/v1/papers").json()["results"]] == [statement.number]
    assert signed_in(steward).get(f"/api/v1/papers/{statement.number}").json()["record"] is None


def test_the_list_takes_as_many_statements_for_many_papers(seller, django_assert_max_num_queries):
    for _one in range(8):
        documents.issue("trade_contract", make_user(), title="T", record={"titles": {"en": "T"}}, readers=[seller])
    client = signed_in(owner_of(seller))
    with django_assert_max_num_queries(9):
        assert client.get("/papers/").content.decode().count("Trade Contract") == 8 + 1


# --- staff over the API --------------------------------------------------------------------------------------------


def post(person: User, path: str, key: str, **body: object):
    return signed_in(person).post(path, body, content_type="application/json", headers={"Idempotency-Key": key})


def test_two_of_the_staff_revoke_over_the_api(certificate, buyer):
    url = f"/api/v1/papers/{certificate.number}/revocation"
    first, second = make_staff("review"), make_staff("clearing")
    assert post(first, f"{url}/confirmation", "k0").status_code == 404
    asked = post(first, url, "k1", reason="Wrong source")
    assert (asked.status_code, asked.json()["revoked_at"]) == (201, None)
    assert post(first, url, "k1", reason="Wrong source").json() == asked.json()
    assert post(first, f"{url}/confirmation", "k2").json()["code"] == "second_person_needed"
    confirmed = post(second, f"{url}/confirmation", "k3")
    assert confirmed.status_code == 200
    assert confirmed.json()["revoked_at"] is not None
    assert Client().get(f"/api/v1/papers/{certificate.number}").json()["is_valid"] is False


def test_members_and_strangers_revoke_nothing(certificate, buyer):
    url = f"/api/v1/papers/{certificate.number}/revocation"
    refused = post(owner_of(buyer), url, "k1", reason="I regret")
    assert (refused.status_code, refused.json()["code"]) == (403, "role_needed")
    assert post(owner_of(make_organisation()), url, "k1", reason="x").status_code == 403
    assert post(make_staff("vetting"), url, "k1", reason="x").status_code == 403
    assert Client().post(url, {}, content_type="application/json").status_code == 401
    assert post(make_staff("review"), url, "k1", reason="  ").status_code in (400, 422)
    assert paper_checks.look_up(certificate.number, "", asker="x").is_valid


def test_a_check_code_stays_out_of_the_log(certificate):
    line = logging.LogRecord("x", logging.INFO, "x", 1, "GET %s", (documents.verify_url(certificate),), None)
    assert Line().format(line) == f"GET http://127.0.0.1:8000/verify/{certificate.number}/?code=…"


def test_staff_read_what_papers_are_about_in_their_language(certificate):
    client = Client()
    client.force_login(make_staff("audit"))
    for language, title in certificate.record["titles"].items():
        for page in (reverse("desk_papers"), reverse("desk_paper", args=[certificate.number])):
            assert escape(title) in client.get(page, headers={"Accept-Language": language}).content.decode()


@pytest.mark.parametrize(
    ("language", "product", "person", "tax", "right", "channels"),
    [
        (
            "en",
            "Dataset · Version 2",
            "Qian Tao, Owner",
            "VAT in the sum 6 %: CNY 6.00",
            "Right to hold the data resource: Own work",
            "Files for download, Visit by hand",
        ),
        (
            "zh-hans",
            "数据集 · 版本 2",
            "Qian Tao，所有者",
            "所含增值税 6%：CNY 6.00",
            "数据资源持有权：Own work",
            "文件下载、Visit by hand",
        ),
        (
            "zh-hant",
            "數據集 · 版本 2",
            "Qian Tao，擁有人",
            "所含增值稅 6%：CNY 6.00",
            "數據資源持有權：Own work",
            "檔案下載、Visit by hand",
        ),
    ],
)
def test_what_a_paper_says_is_joined_by_the_marks_of_its_language(language, product, person, tax, right, channels):
    record = {
        "product_type": "dataset",
        "version": 2,
        "currency": "CNY",
        "accepted_by": {"person": "Qian Tao", "role": "owner"},
        "taxes": [{"tax": "vat_charged", "percent": "6", "amount_minor": 600}],
        "rights": {"holding": {"held": True, "basis": "Own work"}},
        "plans": {"prices": [], "audiences": [], "channels": ["files", "Visit by hand"], "territory": {"en": ""}},
    }
    said = [row.value for row in paper_words.rows(record, language)]
    assert said[0] == product and [tax] in said and person in said
    assert [right] == [value[0] for value in said if value and str(value[0]).endswith("Own work")]
    assert channels in [line for value in said if isinstance(value, list) for line in value]
