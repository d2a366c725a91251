"""The bank gateway: a statement brought in pays trades, whatever does not fit waits, and nothing is booked twice."""

from __future__ import annotations

import datetime as dt
import secrets

import pytest
from django.core import checks
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from stdnum import iso11649

from compliance import holds
from marketplace import clock
from marketplace.errors import Invalid, Refused, RoleNeeded
from settlement import fees, ledger, payments, payout_accounts, tasks, trades
from settlement.bank import accounts, details, payment_files, references, reports
from settlement.gateways import gateway
from settlement.models import (
    BankEntry,
    BankFile,
    BankInstruction,
    BankReport,
    Notice,
    Payment,
    Refund,
    Unmatched,
)
from settlement.states import OutgoingState, TradeState
from tests import bank_messages, factories, rows, trading
from tests.bank_messages import Line, balance, camt053, pain002
from tests.races import together

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bank(settings):
    settings.GATEWAYS = {"bank": "settlement.gateways.bank.Bank"}
    settings.DEFAULT_GATEWAY, settings.BANK_ACCOUNTS = "bank", bank_messages.ACCOUNTS


@pytest.fixture
def officer(db):
    return factories.make_staff("payments")


def started(amount_minor: int = 10_000) -> Payment:
    payment = rows.a_payment("bank", amount_minor)
    gateway("bank").start(payment)
    return payment


def test_a_reference_is_an_iso_11649_creditor_reference_that_follows_from_the_key():
    reference = references.reference_of("pay-t1-1")
    assert iso11649.is_valid(reference) and len(reference) == 20
    assert references.reference_of("pay-t1-1") == reference != references.reference_of("pay-t1-2")
    spaced = references.in_groups(reference)
    assert spaced.count(" ") == 4
    assert references.found_in(f"invoice 12/{spaced.lower()}, thank you") == [reference]
    other = references.reference_of("pay-t2-1")
    assert references.found_in(f"{reference} and", other) == [reference, other]
    mistyped = reference[:-1] + ("0" if reference[-1] != "0" else "1")
    assert references.found_in(mistyped) == [] == references.found_in("RF18 5390 0754 7034")


def test_money_that_fits_pays_its_trade_and_all_other_money_waits_with_its_reason(officer):
    offer = trading.make_offer(trading.make_listed(factories.make_verified()), price_minor=10_000)
    buyer = factories.make_verified("A Buyer Limited")
    deals = [trading.propose(offer, buyer=buyer) for _ in range(5)]
    trading.work()
    exact, short, over, late, other = deals
    quoted = [deal.payment.bank_reference.reference for deal in deals]
    assert [deal.payment.reference for deal in deals] == quoted and len(set(quoted)) == 5
    trades.cancel(late.trade, reason="", by=late.buyer)
    trading.work()
    report = reports.take_camt053(
        camt053(
            [
                Line(10_000, text=quoted[0]),
                Line(9_999, text=f"inv. 4 {references.in_groups(quoted[1])}"),
                Line(10_001, end_to_end_id=quoted[2]),
                Line(10_000, text=quoted[3]),
                Line(20_000, text=f"{quoted[4]} {quoted[2]}"),
                Line(4_200, text="thank you"),
                Line(-150, text="charges"),
                Line(700, text="not yet", status="PDNG"),
            ],
            balances=balance("OPBD", 1_000) + balance("CLBD", 65_050),
        ),
        by=officer,
    )
    assert (report.taken, report.known, report.unbooked, report.refused) == (7, 0, 1, [])
    trading.work()
    assert [deal.state for deal in deals] == ["delivered", "registered", "registered", "cancelled", "registered"]
    waiting = {(one.amount_minor, one.why, one.payment_id) for one in Unmatched.objects.all()}
    assert waiting == {
        (9_999, "wrong_amount", short.payment.pk),
        (10_001, "wrong_amount", over.payment.pk),
        (10_000, "too_late", late.payment.pk),
        (20_000, "unknown_payment", None),
        (4_200, "unknown_payment", None),
    }
    reports.take_camt053(camt053([Line(10_000, text=quoted[0])]), by=officer)
    trading.work()
    assert Unmatched.objects.get(payment=exact.payment).why == "paid_twice"
    assert [entry.reading for entry in report.entries.order_by("pk")] == [
        "payment", "payment", "payment", "payment", "unknown", "unknown", "other",
    ]  # fmt: skip
    assert ledger.balance(ledger.escrow(exact.trade)) == 10_000
    assert ledger.balance(ledger.outside("bank", "HKD")) == -(9_999 + 10_001 + 10_000 + 20_000 + 4_200 + 20_000)


def test_a_file_is_taken_once_and_overlapping_statements_book_an_entry_once(officer):
    payment = started()
    line = Line(10_000, text=payment.bank_reference.reference, reference="A1")
    body = camt053([line])
    first = reports.take_camt053(body, name="monday.xml", by=officer)
    assert bytes(BankReport.objects.get(pk=first.pk).body) == body
    with pytest.raises(reports.KnownReport):
        reports.take_camt053(body, by=officer)
    second = reports.take_camt053(
        camt053([line, Line(500, reference="A2"), Line(1, reference="A3"), Line(2, reference="A3")]), by=officer
    )
    assert (second.taken, second.known) == (1, 1)
    assert second.refused == [{"entry": 0, "code": "twice_in_file", "reference": "A3"}]
    third = reports.take_camt053(camt053([Line(10_001, text=line.text, reference="A1")]), by=officer)
    assert (third.taken, [one["code"] for one in third.refused]) == (0, ["changed"])
    assert BankEntry.objects.count() == Notice.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_bring_the_same_file_in_at_once_one_is_told_that_it_is_known(officer):
    body = camt053([Line(10_000, text=started().bank_reference.reference)])
    assert sorted(together([lambda: reports.take_camt053(body, by=officer)] * 2)) == ["done", "report_known"]
    assert BankEntry.objects.count() == Notice.objects.count() == BankReport.objects.count() == 1


BOMB = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Document>&b;</Document>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><Document/>'
SHUT = balance("OPBD", 0) + balance("CLBD", 5)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "message_unreadable"),
        (b"date,amount\n", "message_unreadable"),
        (b"<Document/>", "message_unreadable"),
        (b"\xff\xfe\x00", "message_unreadable"),
        (camt053([])[:-40], "message_unreadable"),
        (camt053([]).replace(b"camt.053", b"camt.054"), "message_unreadable"),
        (camt053([]).replace(b"Acct>", b"Akkt>"), "message_unreadable"),
        (camt053([Line(5)]).replace(b"encoding=\"UTF-8\"", b'encoding="x-none"'), "message_unreadable"),
        (BOMB, "message_unsafe"),
        (OUTSIDE, "message_unsafe"),
        (camt053(["<Ntry>" + "<a>" * 40 + "</a>" * 40 + "</Ntry>"]), "message_unsafe"),
        (camt053(["<Ntry>" + "<a/>" * 5_000 + "</Ntry>"]), "message_unsafe"),
        (camt053([Line(5, text="x" * 5_000)]), "message_unsafe"),
        (camt053([Line(5)], number="999999"), "wrong_account"),
        (camt053([Line(5)], currency="USD"), "wrong_currency"),
        (camt053([Line(5)], balances=balance("OPBD", 0, "USD")), "wrong_currency"),
        (camt053([Line(5)], made="2999-01-01T00:00:00"), "future_dated"),
        (camt053([Line(6)], balances=SHUT), "statement_does_not_add_up"),
        (b" " * (reports.MOST_BYTES + 1), "report_too_large"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_relied_on_is_refused_whole(officer, body, code):
    with pytest.raises(Invalid) as refusal:
        reports.take_camt053(body, by=officer)
    assert refusal.value.code == code and refusal.value.next
    assert not BankReport.objects.exists() and not BankEntry.objects.exists() and not Notice.objects.exists()


def test_an_entry_at_fault_is_left_out_and_the_others_are_taken(officer):
    good = Line(10_000, text=started().bank_reference.reference, reference="GOOD")
    faulty = {
        "bad_amount": [Line(0), Line(1).written().replace("0.01", "-0.01"), Line(1).written().replace("0.01", "0.011")],
        "wrong_currency": [Line(1, currency="USD")],
        "no_bank_reference": [Line(1, reference="X").written().replace("X</AcctSvcrRef>", "</AcctSvcrRef>")],
        "future_dated": [Line(1, on=clock.today() + dt.timedelta(days=1))],
        "bad_date": [Line(1).written().replace("BookgDt", "ValDt")],
        "no_direction": [Line(1).written().replace("CRDT", "BOTH")],
    }
    lines = [line for several in faulty.values() for line in several]
    report = reports.take_camt053(camt053([*lines, good], balances=SHUT), by=officer)
    assert [one["code"] for one in report.refused] == [code for code, several in faulty.items() for _ in several]
    assert [one["entry"] for one in report.refused] == list(range(1, len(lines) + 1))
    assert report.entries.get().bank_reference == "GOOD"
    assert Notice.objects.count() == 1


def test_a_transfer_of_several_parts_is_as_many_entries(officer):
    first, second = started(4_000), started(6_000)
    part = """<TxDtls><Amt Ccy="HKD">{}.00</Amt>
        <RmtInf><Strd><CdtrRefInf><Ref>{}</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>"""
    both = "".join(part.format(*one) for one in [(40, first.bank_reference), (60, second.bank_reference)])
    gathered = f"""<Ntry><Amt Ccy="HKD">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
        <BookgDt><Dt>2026-01-02</Dt></BookgDt><AcctSvcrRef>MANY</AcctSvcrRef><NtryDtls>{both}</NtryDtls></Ntry>"""
    report = reports.take_camt053(camt053([gathered, gathered.replace("40.00", "41.00")]), by=officer)
    assert [(one.bank_reference, one.payment, one.amount_minor) for one in report.entries.order_by("pk")] == [
        ("MANY-1", first, 4_000),
        ("MANY-2", second, 6_000),
    ]
    assert [one["code"] for one in report.refused] == ["parts_differ"]


def test_a_csv_is_read_by_its_mapping(officer, settings):
    payment = started()
    lines = [
        "入账日期;金额;流水号;附言;对方",
        f"20260102;100.00;C1;{payment.bank_reference};某公司",
        "2026-01-02;-3.00;C2;fee;",
        "2026-01-02;1;;;",
        "2026/13/02;1;C3;;",
        "no;such;line;of;it",
    ]
    columns = "date=入账日期, amount=金额, reference=流水号, text=附言, payer=对方"
    report = reports.take_csv("\n".join(lines).encode("gb18030"), currency="HKD", columns=columns, by=officer)
    [came, went] = report.entries.order_by("pk")
    assert (came.payment, came.amount_minor, came.booked_on, came.payer) == (
        payment,
        10_000,
        dt.date(2026, 1, 2),
        "//某公司",
    )
    assert (went.is_credit, went.amount_minor, went.reading) == (False, 300, "other")
    assert [one["code"] for one in report.refused] == ["no_bank_reference", "bad_date", "bad_amount"]
    for body, code, mapping in [
        (b"a,b\n1,2\n", "wrong_columns", columns),
        (b"a,b\n1,2\n", "wrong_columns", "date=a"),
        (b"\xff\xff\xff", "message_unreadable", columns),
        (b"\x00", "message_unreadable", columns),
        (b'Date,Amount,Reference,Text\n"open', "message_unreadable", ""),
    ]:
        with pytest.raises(Refused) as refusal:
            reports.take_csv(body, currency="HKD", columns=mapping, by=officer)
        assert refusal.value.code == code
    with pytest.raises(accounts.NoAccount):
        reports.take_csv(b"x", currency="SGD", by=officer)
    assert BankReport.objects.count() == 1


def test_only_staff_of_payments_bring_files_in_or_take_them_out():
    for person in (factories.make_staff("clearing"), factories.make_verified().created_by):
        with pytest.raises(RoleNeeded):
            reports.take_camt053(camt053([]), by=person)
        with pytest.raises(RoleNeeded):
            reports.take_pain002(pain002([]), by=person)
        with pytest.raises(RoleNeeded):
            payment_files.make("HKD", by=person)
    assert not BankReport.objects.exists()


# --- money out -----------------------------------------------------------------------------------------------------


def told(body: bytes) -> None:
    reports.take_camt053(body, by=factories.make_staff("payments"))
    tasks.read_notices()


def test_a_transfer_is_of_the_price_and_the_buyers_fee(settings):
    settings.CLOCK_MAY_MOVE = True
    first, second = factories.make_staff("clearing"), factories.make_staff("clearing")
    with clock.moved_to(clock.now() - dt.timedelta(days=3)):
        said = {"basis_points": 250, "buyer_basis_points": 200, "currency": "HKD", "reason": "Both sides bear it."}
        fees.confirm(fees.ask(begins_on=clock.today() + dt.timedelta(days=1), by=first, **said), by=second)
    deals = [trading.propose(trading.make_offer(price_minor=10_000)) for _one in range(2)]
    trading.work()
    assert [str(details.of(deal.reload())["amount"]) for deal in deals] == ["HKD 102.00"] * 2
    told(camt053([Line(10_200, text=deals[0].payment.reference), Line(10_000, text=deals[1].payment.reference)]))
    tasks.open_grants()
    assert [deal.state for deal in deals] == [TradeState.DELIVERED, TradeState.REGISTERED]
    assert Unmatched.objects.get().amount_minor == 10_000


def test_a_trade_is_paid_delivered_cleared_and_its_seller_paid_by_files_alone(officer):
    seller, vetting = factories.make_verified(), factories.make_staff("vetting")
    with pytest.raises(Invalid) as refusal:
        payout_accounts.name(
            seller, gateway_name="bank", reference="GB29NWBK60161331926818/NWBKGB2L/A", by=seller.created_by
        )
    assert refusal.value.code == "wrong_account"
    written = "gb29 nwbk 6016 1331 9268 19 / nwbkgb2l / Seller & Sons <Limited>"
    account = payout_accounts.name(seller, gateway_name="bank", reference=written, by=seller.created_by)
    assert account.reference == "GB29NWBK60161331926819/NWBKGB2L/Seller & Sons <Limited>"
    payout_accounts.confirm(account, by=officer)
    offer = trading.make_offer(trading.make_listed(seller), price_minor=10_000)
    deal = trading.propose(offer, buyer=factories.make_verified("A Buyer Limited"))
    trading.work()
    told(camt053([Line(10_000, text=deal.payment.reference)]))
    tasks.open_grants()
    assert deal.state == TradeState.DELIVERED
    trades.accept(deal.trade, by=deal.buyer)
    trading.clear_now()
    instruction = BankInstruction.objects.get()
    assert (instruction.kind, instruction.amount_minor, instruction.file) == ("payout", 9_750, None)
    assert deal.state == TradeState.CLEARED
    hold = holds.place("organisation", seller.pk, reason_code="complaint", reason="A complaint.", by=vetting)
    with pytest.raises(payment_files.NothingToSend):
        payment_files.make("HKD", by=officer)
    holds.lift(hold, reason="Settled.", by=vetting)
    file = payment_files.make("HKD", by=officer)
    assert (file.number, file.sum_minor) == (1, 9_750)
    body = bytes(BankFile.objects.get().body).decode()
    for part in [
        f"<MsgId>{file.message_id}</MsgId>",
        "<CtrlSum>97.50</CtrlSum>",
        f"<EndToEndId>{instruction.end_to_end_id}</EndToEndId>",
        '<InstdAmt Ccy="HKD">97.50</InstdAmt>',
        "<Nm>Seller &amp; Sons &lt;Limited&gt;</Nm>",
        "<Othr><Id>012345678901</Id></Othr>",
        "<IBAN>GB29NWBK60161331926819</IBAN>",
    ]:
        assert part in body
    with pytest.raises(payment_files.NothingToSend):
        payment_files.make("HKD", by=officer)
    instruction.refresh_from_db()
    short = bank_messages.debit_of(instruction, text="less")
    told(camt053([Line(short.minor + 1, end_to_end_id=short.end_to_end_id, payer=short.payer)]))
    assert deal.state == TradeState.CLEARED
    told(camt053([bank_messages.debit_of(instruction)]))
    assert deal.state == TradeState.SETTLED
    assert [row.amount_minor for row in gateway("bank").movements(clock.today())] == [
        10_000,
        -9_749,
        -9_750,
    ]


def test_money_that_comes_back_is_a_refund_that_bounced(officer):
    told(camt053([Line(500), Line(600), Line(700, payer="/BKCHHKHH/Somebody")]))
    for row in Unmatched.objects.order_by("pk"):
        payments.return_unmatched(row, by=officer)
    tasks.pay_refunds()
    tasks.read_notices()
    first, second, nowhere = Refund.objects.order_by("pk")
    assert [first.state, second.state, nowhere.state] == ["sent", "sent", "bounced"]
    assert "account/BIC/holder" not in nowhere.error and "/BKCHHKHH/Somebody" in nowhere.error
    file = payment_files.make("HKD", by=officer)
    answer = pain002(
        [(first.reference, "RJCT"), (second.reference, "ACSP"), ("DXNOBODY", "RJCT")], file=file.message_id
    )
    report = reports.take_pain002(answer, by=officer)
    assert (report.taken, report.unbooked, [one["code"] for one in report.refused]) == (1, 1, ["unknown_instruction"])
    with pytest.raises(reports.KnownReport):
        reports.take_pain002(answer, by=officer)
    tasks.read_notices()
    assert [one.state for one in Refund.objects.order_by("pk")] == ["bounced", "sent", "bounced"]
    told(camt053([bank_messages.debit_of(one) for one in file.instructions.filter(key=second.key)]))
    assert Refund.objects.get(pk=second.pk).state == OutgoingState.PAID
    told(camt053([Line(600, end_to_end_id=second.reference, text="AC01 incorrect account number")]))
    second.refresh_from_db()
    assert (second.state, second.error) == ("bounced", "AC01 incorrect account number")
    assert ledger.balance(ledger.outside("bank", "HKD")) == -1_800


def test_a_refund_goes_to_who_paid_exactly_and_is_never_guessed(officer):
    other = "DE89370400440532013000/COBADEFFXXX/Another Payer"
    paid, unsure = started(), started()
    quoted, doubtful = paid.bank_reference.reference, unsure.bank_reference.reference
    told(camt053([Line(9_000, text=quoted, payer=other), Line(10_000, text=quoted)]))
    told(camt053([Line(1, text=doubtful, payer=other), Line(2, text=doubtful)]))
    for payment in (paid, unsure):
        gateway("bank").refund(rows.a_refund(payment, 5_000, payment.bank_reference.reference))
    assert [one.payee for one in BankInstruction.objects.all()] == [bank_messages.PAYER]
    [nowhere] = Notice.objects.filter(event_id__startswith="nowhere-")
    assert doubtful in nowhere.body


def test_a_file_the_bank_refuses_whole_returns_all_of_it(officer):
    told(camt053([Line(500), Line(600)]))
    for row in Unmatched.objects.order_by("pk"):
        payments.return_unmatched(row, by=officer)
    tasks.pay_refunds()
    file = payment_files.make("HKD", by=officer)
    reports.take_pain002(pain002([], file=file.message_id, group="RJCT"), by=officer)
    tasks.read_notices()
    assert [(one.state, one.error) for one in Refund.objects.all()] == [("bounced", "not signed")] * 2
    for body in (pain002([]).replace(b"OrgnlGrp", b"Grp"), camt053([]), BOMB):
        with pytest.raises(Invalid):
            reports.take_pain002(body, by=officer)


@pytest.mark.django_db(transaction=True)
def test_an_instruction_stands_in_one_file_however_many_people_make_one(officer):
    told(camt053([Line(500), Line(600)]))
    for row in Unmatched.objects.order_by("pk"):
        payments.return_unmatched(row, by=officer)
    tasks.pay_refunds()
    assert sorted(together([lambda: payment_files.make("HKD", by=officer)] * 2)) == ["done", "nothing_to_send"]
    assert BankFile.objects.get().sum_minor == 1_100


# --- what is set, and what the database refuses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told_of", "mistake"),
    [
        ([], "no JSON object"),
        ({"HKD": {"name": "X", "number": "123456"}}, "needs name, number, bic"),
        ({"HKD": {"name": "X", "number": "", "bic": "BKCHHKHH"}}, "needs name, number, bic"),
        ({"HKD": {"name": "X", "number": "DE88370400440532013000", "bic": "COBADEFF"}}, "check digits are wrong"),
        ({"HKD": {"name": "X", "number": "123456", "bic": "BANK"}}, "BIC of the account in HKD is none"),
        ({"HKD": {"name": "X" * 71, "number": "123456", "bic": "BKCHHKHH"}}, "longer than 70"),
        ({"AUD": {"name": "X", "number": "123456", "bic": "BKCHHKHH"}}, "no currency of CURRENCIES"),
        ({"XYZ": {}}, "no currency of ISO 4217"),
    ],
)
def test_a_bank_that_is_set_half_is_refused_at_the_start(settings, told_of, mistake):
    assert not [error for error in checks.run_checks() if error.id.startswith("settlement.")]
    settings.BANK_ACCOUNTS = told_of
    found = [error for error in checks.run_checks() if error.id == "settlement.E001"]
    assert any(mistake in str(error.msg) for error in found), found


def test_columns_and_gateways_that_are_not_there_are_refused_at_the_start(settings):
    settings.BANK_CSV_COLUMNS, settings.DEFAULT_GATEWAY = "date=Date", "stripe"
    assert {error.id for error in checks.run_checks()} >= {"settlement.E002", "settlement.E003"}


def test_the_database_keeps_what_the_bank_said_and_was_asked(officer):
    told(camt053([Line(500)]))
    payments.return_unmatched(Unmatched.objects.get(), by=officer)
    tasks.pay_refunds()
    file = payment_files.make("HKD", by=officer)
    other = BankFile.objects.create(
        message_id="other", currency="HKD", account="1", number=1, sum_minor=1, digest="x", body=b"x", by=officer
    )
    for change in (
        lambda: BankReport.objects.update(body=b""),
        lambda: BankReport.objects.all().delete(),
        lambda: BankEntry.objects.update(amount_minor=1),
        lambda: BankEntry.objects.all().delete(),
        lambda: BankFile.objects.update(body=b""),
        lambda: BankInstruction.objects.update(file=None),
        lambda: BankInstruction.objects.update(file=other),
        lambda: BankInstruction.objects.update(payee="elsewhere"),
        lambda: BankInstruction.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert BankInstruction.objects.get().file == file and BankEntry.objects.get().amount_minor == 500


# --- over HTTP -------------------------------------------------------------------------------------------------------


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def send(client: Client, act: str, **said):
    return client.post(reverse("desk_bank_act"), {"act": act, "key": secrets.token_urlsafe(18), **said})


def test_a_buyer_pays_what_the_page_says_and_the_desk_brings_the_statement_in(officer):
    offer = trading.make_offer(trading.make_listed(factories.make_verified()), price_minor=10_000)
    deal = trading.propose(offer, buyer=factories.make_verified("A Buyer Limited"))
    trading.work()
    reference = references.in_groups(deal.payment.bank_reference.reference)
    page = reverse("trade", args=[deal.trade.public_id])
    assert deal.payment.pay_at_url.endswith(f"{page}#transfer")
    buyer, desk = signed_in(deal.buyer), signed_in(officer)
    for language, words in [("en", "Pay by bank transfer"), ("zh-hans", "银行转账付款"), ("zh-hant", "以銀行轉帳付款")]:
        shown = buyer.get(page, headers={"Accept-Language": language}).content.decode()
        assert all(part in shown for part in [words, reference, "012345678901", "BKCHHKHH", 'id="transfer"'])
    assert reference not in signed_in(deal.seller).get(page).content.decode()

    def upload(body: bytes, **said):
        return send(desk, "take", file=SimpleUploadedFile("monday.xml", body), **{"form": "camt.053"} | said)

    assert upload(BOMB).status_code == 422
    assert upload(b"x", form="csv", currency="HKD").status_code == 422
    assert upload(b" " * (reports.MOST_BYTES + 1)).status_code == 422
    assert not BankReport.objects.exists()
    body = camt053([Line(10_000, text=f"<b>{reference}</b>"), Line(70, text="a gift"), Line(1, currency="USD")])
    assert upload(body).status_code == 302
    assert upload(body).status_code == 409
    trading.work()
    assert deal.state == TradeState.DELIVERED
    assert 'id="transfer"' not in buyer.get(page).content.decode()
    report = BankReport.objects.get()
    shown = desk.get(reverse("desk_bank_report", args=[report.pk])).content.decode()
    assert "wrong_currency" in shown and "&lt;b&gt;" in shown and "a gift" in shown
    assert desk.get(reverse("desk_bank_report_file", args=[report.pk])).content == body
    payments.return_unmatched(Unmatched.objects.get(), by=officer)
    tasks.pay_refunds()
    assert "HKD" in desk.get(reverse("desk_bank")).content.decode()
    assert send(desk, "make_file", currency="HKD").status_code == 302
    file = BankFile.objects.get()
    again = {desk.get(reverse("desk_bank_file", args=[file.pk])).content for _ in range(2)}
    assert again == {bytes(file.body)}
    assert send(desk, "make_file", currency="HKD").status_code == 409
    assert send(desk, "make_file", currency="SGD").status_code == 409
    assert file.message_id in desk.get(reverse("desk_bank")).content.decode()


def test_a_file_is_brought_in_from_a_terminal(officer, tmp_path, capsys):
    path = tmp_path / "day.xml"
    path.write_bytes(camt053([Line(5), Line(6, currency="USD")]))
    call_command("take_bank_file", path, by=officer.email)
    assert "1 taken, 0 known, 0 not final yet, 1 left out" in capsys.readouterr().out
    for arguments, said in [
        ({"by": officer.email}, "report_known"),
        ({"by": "nobody@exchange.example"}, "Nobody has the e-mail"),
        ({"by": factories.make_staff("clearing").email}, "role_needed"),
        ({"by": officer.email, "form": "pain.002"}, "message_unreadable"),
    ]:
        with pytest.raises(CommandError, match=said):
            call_command("take_bank_file", path if said != "message_unreadable" else __file__, **arguments)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("take_bank_file", tmp_path / "none", by=officer.email)
    assert BankReport.objects.count() == 1
