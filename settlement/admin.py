"""Records of trades, money and access. Deciding is done at the desks."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from listings.admin import LONG_MANUAL, channel_words, jurisdiction_words
from marketplace.looking import Looking, by
from settlement import models
from settlement.money_words import DECIDED, WHY, paid_through, refunded_because


@admin.register(models.Trade)
class Trades(Looking):
    list_display = [
        "__str__", "version", "seller", "buyer", "price_minor", "currency", "state", "proposed_at", "at_the_desk",
    ]  # fmt: skip
    list_filter = ["state", "currency", "is_frozen"]
    search_fields = ["=register_number", "=public_id", "seller__name", "buyer__name"]
    unread = ("terms", "crossborder", *(f"version__{name}" for name in LONG_MANUAL))
    says = {"jurisdiction": jurisdiction_words}

    @admin.display(description=_("at the desk"))
    def at_the_desk(self, trade: models.Trade) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("desk_trade", args=[trade.public_id]), _("open"))


@admin.register(models.Agreement)
class Agreements(Looking):
    list_display = ["trade", "digest", "buyer_by", "seller_by", "agreed_at"]
    search_fields = ["=trade__register_number", "=digest"]


@admin.register(models.FeeSchedule)
class FeeSchedules(Looking):
    list_display = ["version", "seller_basis_points", "buyer_basis_points", "valid_from"]


@admin.register(models.RevenueSplit)
class RevenueSplits(Looking):
    list_display = ["id", "listing", "state", "by", "proposed_at", "in_force_at", "ended_at"]
    list_filter = ["state"]
    search_fields = ["=listing__public_id"]


@admin.register(models.RevenueShare)
class RevenueShares(Looking):
    list_display = ["split", "kind", "payee", "upstream", "basis_points", "agreed_at", "agreed_by"]
    list_filter = ["kind"]
    search_fields = ["=split__listing__public_id", "payee__name"]


@admin.register(models.TradeShare)
class TradeShares(Looking):
    list_display = ["trade", "position", "share"]
    search_fields = ["=trade__register_number"]


@admin.register(models.TaxStatus)
class TaxStatuses(Looking):
    list_display = ["organisation", "status", "by", "at"]
    list_filter = ["status"]


@admin.register(models.TradeTax)
class TradeTaxes(Looking):
    list_display = ["trade", "revision", "gross_minor", "net_minor", "withheld_minor", "is_known", "rulebook", "by"]
    search_fields = ["=trade__register_number"]
    unread = ("lines",)


@admin.register(models.Invoice)
class Invoices(Looking):
    list_display = ["__str__", "kind", "issuer", "recipient", "trade", "gross_minor", "currency", "issued_at"]
    list_filter = ["kind", "year", "currency"]
    search_fields = ["=trade__register_number", "=key"]
    unread = ("lines",)


@admin.register(models.Quote)
class Quotes(Looking):
    list_display = ["public_id", "offer", "buyer", "price_minor", "currency", "made_at", "valid_until", "trade"]
    list_filter = ["currency"]
    search_fields = ["=public_id", "=offer__public_id", "=trade__register_number"]


@admin.register(models.ElectronicInvoice)
class ElectronicInvoices(Looking):
    list_display = ["number", "invoice", "by", "at"]
    search_fields = ["=number"]


@admin.register(models.Payment)
class Payments(Looking):
    list_display = ["key", "trade", "gateway", "amount_minor", "currency", "state", "requested_at", "paid_at", "tries"]
    list_filter = ["state", "gateway", "currency"]
    search_fields = ["=key", "=reference", "=trade__register_number"]
    says = {"gateway": paid_through}


@admin.register(models.Notice)
class Notices(Looking):
    list_display = ["gateway", "event_id", "received_at", "read_at", "tries", "next_try_at"]
    list_filter = ["gateway"]
    search_fields = ["=event_id"]
    unread = ("body",)
    says = {"gateway": paid_through}


@admin.register(models.Refund)
class Refunds(Looking):
    list_display = ["key", "trade", "amount_minor", "currency", "state", "reason", "created_at", "paid_at", "tries"]
    list_filter = ["state", "gateway", "currency"]
    search_fields = ["=key", "=reference", "=trade__register_number"]
    says = {"gateway": paid_through, "reason": refunded_because}


@admin.register(models.Unmatched)
class UnmatchedMoney(Looking):
    list_display = ["event_id", "gateway", "amount_minor", "currency", "why", "arrived_at", "decision", "decided_by"]
    list_filter = ["why", "decision", "currency"]
    search_fields = ["=event_id", "=payer_reference"]
    says = {"gateway": paid_through, "why": by(WHY), "decision": by(DECIDED)}


@admin.register(models.Chargeback)
class Chargebacks(Looking):
    list_display = ["reference", "trade", "amount_minor", "currency", "state", "opened_at", "closed_at"]
    list_filter = ["state"]
    search_fields = ["=reference", "=trade__register_number"]


@admin.register(models.Dispute)
class Disputes(Looking):
    list_display = ["trade", "state", "opened_by", "opened_at", "refund_minor", "resolved_by", "resolved_at"]
    list_filter = ["state"]
    search_fields = ["=trade__register_number"]


@admin.register(models.Grant)
class Grants(Looking):
    list_display = ["trade", "channel", "state", "opened_at", "ends_at", "closed_at", "tries", "next_try_at"]
    list_filter = ["state", "channel"]
    search_fields = ["=trade__register_number"]
    unread = ("access",)
    says = {"channel": channel_words}


@admin.register(models.Call)
class Calls(Looking):
    list_display = ["grant", "number", "at"]
    search_fields = ["=grant__trade__register_number"]
    unread = ("key",)


@admin.register(models.Receipt)
class Receipts(Looking):
    list_display = ["path", "grant_id", "first_byte", "size_bytes", "by", "at"]
    search_fields = ["=grant__trade__register_number", "=sha256"]


@admin.register(models.Account)
class Accounts(Looking):
    list_display = ["name", "kind", "currency", "organisation", "balance_minor"]
    list_filter = ["kind", "currency"]
    search_fields = ["=name"]


@admin.register(models.Transfer)
class Transfers(Looking):
    list_display = ["key", "debit", "credit", "amount_minor", "at"]
    search_fields = ["=key"]


@admin.register(models.ClearingCycle)
class ClearingCycles(Looking):
    list_display = [
        "number", "currency", "state", "opened_at", "cut_off_at", "closed_at", "released_at", "by", "second_by",
    ]  # fmt: skip
    list_filter = ["state", "currency"]


@admin.register(models.Statement)
class Statements(Looking):
    list_display = [
        "cycle", "organisation", "currency", "gross_minor", "fee_minor", "shares_received_minor",
        "shares_given_minor", "recovered_minor", "reserved_minor", "released_minor", "net_minor",
    ]  # fmt: skip
    search_fields = ["=cycle__number", "organisation__name"]


@admin.register(models.Netting)
class Nettings(Looking):
    list_display = ["organisation", "asked_by", "asked_at", "granted_by", "granted_at", "stopped_by", "stopped_at"]
    search_fields = ["organisation__name"]


@admin.register(models.ReserveTerms)
class ReservesTerms(Looking):
    list_display = [
        "organisation",
        "currency",
        "basis_points",
        "days",
        "begins_on",
        "ends_on",
        "asked_by",
        "confirmed_by",
    ]
    search_fields = ["organisation__name"]


@admin.register(models.Reserve)
class Reserves(Looking):
    list_display = [
        "cycle", "organisation", "currency", "amount_minor", "release_on", "drawn_minor", "released_minor",
        "released_in",
    ]  # fmt: skip
    search_fields = ["=cycle__number", "organisation__name"]


@admin.register(models.PayoutAccount)
class PayoutAccounts(Looking):
    list_display = ["organisation", "gateway", "reference", "by", "created_at"]
    search_fields = ["organisation__name", "=reference"]
    says = {"gateway": paid_through}


@admin.register(models.Payout)
class Payouts(Looking):
    list_display = ["key", "organisation", "kind", "amount_minor", "currency", "state", "destination", "created_at"]
    list_filter = ["state", "kind", "gateway", "currency"]
    search_fields = ["=key", "organisation__name", "=reference"]
    says = {"gateway": paid_through}


@admin.register(models.SandboxOrder)
class SandboxOrders(Looking):
    list_display = ["key", "kind", "amount_minor", "currency", "state", "created_at"]
    search_fields = ["=key", "=reference"]


@admin.register(models.SandboxNotice)
class SandboxNotices(Looking):
    list_display = ["event_id", "order_id", "posted_at", "tries", "next_try_at"]
    unread = ("body",)


@admin.register(models.RefundMending)
class RefundMendings(Looking):
    list_display = ["refund", "by", "named_at", "second_by", "confirmed_at", "dropped_at"]
    search_fields = ["=refund__key"]


@admin.register(models.Renewal)
class Renewals(Looking):
    list_display = ["trade", "state", "set_by", "set_at", "stopped_by", "stopped_at", "stopped_because"]
    list_filter = ["state"]
    search_fields = ["=trade__register_number"]


@admin.register(models.Instalment)
class Instalments(Looking):
    list_display = ["trade", "number", "amount_minor", "due_days", "paid_at"]
    search_fields = ["=trade__register_number"]


@admin.register(models.Reminder)
class Reminders(Looking):
    list_display = ["trade", "wait", "until", "at"]
    list_filter = ["wait"]
    search_fields = ["=trade__register_number"]


@admin.register(models.Excuse)
class Excuses(Looking):
    list_display = ["trade", "reason", "by", "at"]
    search_fields = ["=trade__register_number"]


@admin.register(models.LicenseeNotice)
class LicenseeNotices(Looking):
    list_display = ["listing", "kind", "release", "effective_on", "licensees", "by", "given_at"]
    list_filter = ["kind"]
    search_fields = ["=listing__public_id"]
    unread = ("changes",)


@admin.register(models.BankReference)
class BankReferences(Looking):
    list_display = ["reference", "payment", "created_at"]
    search_fields = ["=reference", "=payment__key"]


@admin.register(models.StripeAccount)
class StripeAccounts(Looking):
    list_display = ["reference", "organisation", "takes_transfers", "pays_out", "opened_at"]
    list_filter = ["takes_transfers", "pays_out"]
    search_fields = ["=reference"]


@admin.register(models.StripeIntent)
class StripeIntents(Looking):
    list_display = ["intent", "key", "heard_at"]
    search_fields = ["=intent", "=key"]


@admin.register(models.BankReport)
class BankReports(Looking):
    list_display = ["__str__", "form", "taken", "known", "unbooked", "imported_at", "by"]
    list_filter = ["form"]
    search_fields = ["=digest"]
    unread = ("body",)


@admin.register(models.BankFile)
class BankFiles(Looking):
    list_display = ["message_id", "currency", "number", "sum_minor", "made_at", "by"]
    search_fields = ["=message_id"]
    unread = ("body",)


@admin.register(models.BankInstruction)
class BankInstructions(Looking):
    list_display = ["key", "kind", "amount_minor", "currency", "file", "created_at"]
    list_filter = ["kind", "currency"]
    search_fields = ["=key", "=end_to_end_id"]


@admin.register(models.BankEntry)
class BankEntries(Looking):
    list_display = ["bank_reference", "booked_on", "amount_minor", "currency", "is_credit", "reading", "report"]
    list_filter = ["reading", "currency"]
    search_fields = ["=bank_reference"]


@admin.register(models.Reconciliation)
class Reconciliations(Looking):
    list_display = ["__str__", "run", "ledger_minor", "gateway_minor", "records_minor", "in_transit", "found", "at"]
    list_filter = ["gateway", "currency"]
    search_fields = ["=digest"]
    says = {"gateway": paid_through}


@admin.register(models.GatewayMovement)
class GatewayMovements(Looking):
    list_display = ["reference", "gateway", "booked_on", "kind", "cause", "amount_minor", "currency", "heard_at"]
    list_filter = ["gateway", "kind", "currency"]
    search_fields = ["=reference", "=cause"]
    says = {"gateway": paid_through}


@admin.register(models.Break)
class Breaks(Looking):
    list_display = ["cause", "kind", "gateway", "currency", "found_at", "ended_at", "explained_by", "reason_code"]
    list_filter = ["kind", "gateway", "currency"]
    search_fields = ["=cause"]
    says = {"gateway": paid_through}
