"""The REST API of invoices: what a member issued and received."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.generics import ListAPIView

from marketplace import roles
from marketplace.participants import acting_organisation
from settlement import invoices
from settlement.models import Invoice
from settlement.presenting import TaxLineOut

PARTS = ("issuer", "recipient", "corrects", "trade")


class InvoiceOut(serializers.ModelSerializer[Invoice]):
    """An invoice or, where it corrects one, a credit note. Amounts are in minor units of `currency`."""

    number = serializers.CharField(source="__str__", help_text="Without gaps, by issuer and year.")
    issuer = serializers.CharField(source="issuer.public_id", allow_null=True, help_text="None: the exchange.")
    recipient = serializers.CharField(source="recipient.public_id")
    trade = serializers.CharField(source="trade.public_id")
    corrects = serializers.CharField(allow_null=True, help_text="Number of the invoice that is credited.")
    taxes = TaxLineOut(source="lines", many=True)
    paper = serializers.SerializerMethodField()
    electronic = serializers.SerializerMethodField()

    class Meta:
        model = Invoice
        fields = [
            "id", "kind", "number", "issuer", "recipient", "trade", "corrects", "currency", "gross_minor", "net_minor",
            "is_tax_known", "taxes", "issued_at", "paper", "electronic",
        ]  # fmt: skip

    def get_paper(self, invoice: Invoice) -> str:
        """Number of its paper."""
        return str(self.context["told"][invoice.pk]["paper"] or "")

    def get_electronic(self, invoice: Invoice) -> str:
        """Number of its electronic invoice (数电票), if its issuer gave one."""
        return str(self.context["told"][invoice.pk]["electronic"])


class Invoices(ListAPIView):
    """GET: the invoices and credit notes your organisation issued or received, the newest first."""

    serializer_class = InvoiceOut

    def get_queryset(self):  # type: ignore[no-untyped-def]
        if getattr(self, "swagger_fake_view", False):
            return Invoice.objects.none()
        organisation = acting_organisation(self.request)
        roles.require(self.request.user, organisation, "see_money")
        return Invoice.objects.visible_to(organisation).select_related(*PARTS)

    def paginate_queryset(self, queryset):  # type: ignore[no-untyped-def]
        page = super().paginate_queryset(queryset)
        self.told = {row["invoice"].pk: row for row in invoices.shown(page or [])}
        return page

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"told": getattr(self, "told", {})}
