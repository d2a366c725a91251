"""What the API says of a trade and its parts. Read-only serializers; rules live in the commands."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace import roles
from marketplace.models import Organisation, Paper
from settlement import deliveries, instalments, taxes, timeline, waits
from settlement.models import (
    Dispute,
    Grant,
    Instalment,
    Payment,
    Payout,
    Receipt,
    Refund,
    Reserve,
    Statement,
    Trade,
    TradeTax,
)


class PartyOut(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = ["public_id", "name", "latin_name", "country"]


class PaymentOut(serializers.ModelSerializer[Payment]):
    class Meta:
        model = Payment
        fields = [
            "instalment",
            "key",
            "gateway",
            "amount_minor",
            "currency",
            "state",
            "pay_at_url",
            "requested_at",
            "paid_at",
        ]


class RefundOut(serializers.ModelSerializer[Refund]):
    payment = serializers.CharField(
        source="payment.key", allow_null=True, default=None, help_text="The key of the payment whose money goes back."
    )

    class Meta:
        model = Refund
        fields = [
            "key", "payment", "gateway", "amount_minor", "currency", "state", "reason", "created_at", "sent_at",
            "paid_at",
        ]  # fmt: skip


class DisputeOut(serializers.ModelSerializer[Dispute]):
    class Meta:
        model = Dispute
        fields = ["state", "reason", "opened_at", "answer", "resolution", "refund_minor", "resolved_at"]


class TradeOut(serializers.ModelSerializer[Trade]):
    """One trade, as either party sees it. Amounts are in minor units of `currency`."""

    product = serializers.CharField(source="listing.public_id")
    title = serializers.CharField(source="version.title")
    version = serializers.IntegerField(source="version.number")
    release_digest = serializers.CharField(source="release.digest")
    offer = serializers.CharField(source="offer.public_id")
    renews = serializers.CharField(
        source="renews.public_id", allow_null=True, default=None, help_text="The trade whose licence this one extends."
    )
    upgrades = serializers.CharField(
        source="upgrades.public_id",
        allow_null=True,
        default=None,
        help_text="The trade whose licence this one replaces; `credit_minor` was taken off its price for that.",
    )
    bills = serializers.CharField(
        source="bills.public_id",
        allow_null=True,
        default=None,
        help_text="The trade whose calls this one bills, from number `first_call` on; null for other trades.",
    )
    converts_to = serializers.CharField(
        source="offer.converts_to.public_id",
        allow_null=True,
        default=None,
        help_text="Of a free trial: the paid offer it goes on with where the buyer so orders.",
    )
    seller = PartyOut()
    buyer = PartyOut()
    discount_percent = serializers.IntegerField(
        source="discount.percent", allow_null=True, default=None, help_text="By which it cost less; null for none."
    )
    total_minor = serializers.IntegerField(help_text="The price and the buyer's fee: what the buyer pays.")
    list_price_minor = serializers.IntegerField(
        source="list_price.minor", help_text="The price without a discount; of a call where they are billed monthly."
    )

    class Meta:
        model = Trade
        fields = [
            "public_id", "register_number", "state", "product", "title", "version", "release_digest", "offer", "renews",
            "converts_to", "upgrades", "credit_minor", "bills", "first_call", "billed_until",
            "seller", "buyer",
            "price_minor", "buyer_fee_minor", "total_minor", "list_price_minor", "discount_percent", "currency",
            "quantity", "unit_price_minor",
            "terms", "purpose", "purchase_order", "proposed_at", "agree_until", "agreed_at",
            "registered_at", "fund_until", "funded_at", "delivered_at", "inspect_until", "accepted_at",
            "is_deemed_accepted",
            "cleared_at", "settled_at", "ended_at", "end_reason", "is_frozen",
        ]  # fmt: skip


class StepOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    text = serializers.CharField()
    at = serializers.DateTimeField()
    position = serializers.IntegerField(allow_null=True, help_text="Place in the journal, once sealed.")


class NextOut(serializers.Serializer[Any]):
    who = serializers.ChoiceField(choices=["buyer", "seller", "exchange", "nobody"])
    text = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class ActOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()


class TaxLineOut(serializers.Serializer[Any]):
    tax = serializers.ChoiceField(choices=["vat", "income"])
    how = serializers.ChoiceField(choices=["charged", "withheld"], help_text="By the seller, or by the buyer.")
    basis_points = serializers.IntegerField()
    amount_minor = serializers.IntegerField()
    rule = serializers.CharField(help_text="Code of the rule; empty where the exchange's staff decided.")


class TaxOut(serializers.ModelSerializer[TradeTax]):
    """The tax that a trade's price includes, in minor units of its currency."""

    lines = TaxLineOut(many=True)

    class Meta:
        model = TradeTax
        fields = ["gross_minor", "net_minor", "withheld_minor", "is_known", "rulebook", "reason", "lines"]


class InstalmentOut(serializers.ModelSerializer[Instalment]):
    """A part of the price; `due_at` is null until the trade is registered, and moves on by the days of holds and of
    contested payments."""

    due_at = serializers.SerializerMethodField()

    class Meta:
        model = Instalment
        fields = ["number", "amount_minor", "due_days", "due_at", "paid_at"]

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_due_at(self, row: Instalment) -> str | None:
        due = self.context["due"].get(row.number)
        return str(serializers.DateTimeField().to_representation(due)) if due else None


class TradeInFullOut(TradeOut):
    """A trade with its instalments, tax, timeline, payments, refunds, dispute, papers and what the reader may do."""

    instalments = serializers.SerializerMethodField(help_text="Empty where the price is paid at once.")
    tax = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()
    next = serializers.SerializerMethodField()
    possible_acts = serializers.SerializerMethodField()
    payments = serializers.SerializerMethodField()
    refunds = serializers.SerializerMethodField()
    dispute = serializers.SerializerMethodField()
    contract = serializers.SerializerMethodField()
    certificate = serializers.SerializerMethodField()

    class Meta(TradeOut.Meta):
        fields = [
            *TradeOut.Meta.fields,
            "instalments", "tax", "steps", "next", "possible_acts", "payments", "refunds", "dispute", "contract",
            "certificate",
        ]  # fmt: skip

    @extend_schema_field(InstalmentOut(many=True))
    def get_instalments(self, trade: Trade) -> list[dict[str, Any]]:
        rows = list(trade.instalments.order_by("number")) if trade.offer.instalments else []
        return list(InstalmentOut(rows, many=True, context={"due": instalments.due(trade, rows)}).data)

    @extend_schema_field(TaxOut(allow_null=True))
    def get_tax(self, trade: Trade) -> dict[str, Any] | None:
        kept = taxes.of(trade)
        return dict(TaxOut(kept).data) if kept else None

    @extend_schema_field(RefundOut(many=True))
    def get_refunds(self, trade: Trade) -> list[dict[str, Any]]:
        return [dict(row) for row in RefundOut(trade.refunds.select_related("payment"), many=True).data]

    @extend_schema_field(PaymentOut(many=True))
    def get_payments(self, trade: Trade) -> list[dict[str, Any]]:
        """Where to pay is told to those who may pay: whoever has that address acts at the gateway as the payer."""
        organisation, by = self.context["organisation"], self.context["user"]
        may_pay = organisation.pk == trade.buyer_id and roles.may(by, organisation, "pay")
        told = [dict(row) for row in PaymentOut(trade.payments.all(), many=True).data]
        return told if may_pay else [row | {"pay_at_url": ""} for row in told]

    @extend_schema_field(StepOut(many=True))
    def get_steps(self, trade: Trade) -> list[dict[str, Any]]:
        return [dict(StepOut(step).data) for step in timeline.steps(trade)]

    @extend_schema_field(NextOut)
    def get_next(self, trade: Trade) -> dict[str, Any]:
        return dict(NextOut(waits.of(trade)).data)

    @extend_schema_field(ActOut(many=True))
    def get_possible_acts(self, trade: Trade) -> list[dict[str, Any]]:
        acts = timeline.possible_acts(trade, self.context["organisation"], self.context["user"])
        return [dict(ActOut(act).data) for act in acts]

    @extend_schema_field(DisputeOut(allow_null=True))
    def get_dispute(self, trade: Trade) -> dict[str, Any] | None:
        return dict(DisputeOut(trade.dispute).data) if hasattr(trade, "dispute") else None

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="Number of the trade contract."))
    def get_contract(self, trade: Trade) -> str | None:
        papers = Paper.objects.filter(kind=Paper.Kind.TRADE_CONTRACT, subject_kind="trade", subject_id=trade.pk)
        return papers.values_list("number", flat=True).first()

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="Number of the trade certificate."))
    def get_certificate(self, trade: Trade) -> str | None:
        return trade.certificate.number if trade.certificate else None


class FileOut(serializers.Serializer[Any]):
    """A file of the delivery and a link to it that lapses; the digest is of the whole file."""

    path = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ReceiptOut(serializers.ModelSerializer[Receipt]):
    class Meta:
        model = Receipt
        fields = ["path", "sha256", "first_byte", "size_bytes", "at"]


class AccessOut(serializers.ModelSerializer[Grant]):
    """The buyer's access: its state and term, the files with fresh links, and the receipts of use."""

    files = FileOut(many=True, read_only=True)
    calls_used = serializers.SerializerMethodField(
        help_text="Of the calls that were bought or are billed; null where none are counted."
    )

    class Meta:
        model = Grant
        fields = ["state", "calls_used", "channel", "opened_at", "ends_at", "closed_at", "access", "files"]

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_calls_used(self, grant: Grant) -> int | None:
        return deliveries.used_calls(grant) if grant.trade.unit_price_minor is not None else None


class TaxSumOut(serializers.Serializer[Any]):
    tax = serializers.CharField(help_text="vat_charged, vat_withheld or income_withheld")
    amount_minor = serializers.IntegerField()


class StatementOut(serializers.ModelSerializer[Statement]):
    """The balance runs from `opening_minor` by `other_minor` (payouts, debts), `gross_minor`, `shares_received_minor`
    and, taken off, `fee_minor` and `shares_given_minor` to `closing_minor`, of which `reserve_minor` is in reserve.
    `net_minor` is paid out: what was cleared, less `recovered_minor` and `reserved_minor`, plus `released_minor`."""

    cycle = serializers.IntegerField(source="cycle.number")
    paper = serializers.CharField(source="paper.number", allow_null=True, default=None)
    taxes = TaxSumOut(
        many=True, source="paper.record.totals.taxes", allow_null=True, default=None,
        help_text="In the gross; null until the paper is there, and where no rule fits.",
    )  # fmt: skip
    fee_vat_minor = serializers.IntegerField(
        source="paper.record.totals.fee_vat_minor", allow_null=True, default=None, help_text="In the fee, if known."
    )

    class Meta:
        model = Statement
        fields = [
            "id",
            "cycle",
            "currency",
            "gross_minor",
            "fee_minor",
            "shares_received_minor",
            "shares_given_minor",
            "recovered_minor",
            "reserved_minor",
            "released_minor",
            "net_minor",
            "taxes",
            "fee_vat_minor",
            "opening_minor",
            "other_minor",
            "closing_minor",
            "reserve_minor",
            "created_at",
            "paper",
        ]


class ReserveOut(serializers.ModelSerializer[Reserve]):
    """What a cycle kept back until `release_on`. What payers' banks took back of it since is `drawn_minor`."""

    cycle = serializers.IntegerField(source="cycle.number")
    released_in = serializers.IntegerField(source="released_in.number", allow_null=True, default=None)

    class Meta:
        model = Reserve
        fields = [
            "cycle",
            "currency",
            "amount_minor",
            "release_on",
            "drawn_minor",
            "released_minor",
            "released_in",
            "released_on",
        ]


class PayoutOut(serializers.ModelSerializer[Payout]):
    """`trade` is what it is paid for; of a net payout it is null, as of what is released of a reserve."""

    cycle = serializers.IntegerField(source="cycle.number")
    trade = serializers.CharField(source="trade.public_id", allow_null=True, default=None)

    class Meta:
        model = Payout
        fields = [
            "key",
            "cycle",
            "kind",
            "trade",
            "amount_minor",
            "currency",
            "gateway",
            "state",
            "created_at",
            "sent_at",
            "paid_at",
        ]
