"""Access against money, each exactly once: the rows, by subject."""

from settlement.models.bank import BankEntry, BankFile, BankInstruction, BankReference, BankReport
from settlement.models.clearing import ClearingCycle, Payout, PayoutAccount, Statement
from settlement.models.deliveries import Call, Grant, Receipt
from settlement.models.fees import FeeSchedule
from settlement.models.instalments import Instalment
from settlement.models.invoices import ElectronicInvoice, Invoice
from settlement.models.ledger import Account, Transfer
from settlement.models.licensee_notices import LicenseeNotice
from settlement.models.netting import Netting
from settlement.models.payments import Chargeback, Notice, Payment, Refund, RefundMending, Unmatched
from settlement.models.quotes import Quote
from settlement.models.reconciliation import Break, GatewayMovement, Reconciliation
from settlement.models.reminders import Excuse, Reminder
from settlement.models.renewals import Renewal
from settlement.models.reserves import Reserve, ReserveTerms
from settlement.models.sandbox import SandboxNotice, SandboxOrder
from settlement.models.splits import RevenueShare, RevenueSplit, TradeShare
from settlement.models.stripe import StripeAccount, StripeIntent
from settlement.models.taxes import TaxStatus, TradeTax
from settlement.models.trades import Agreement, Dispute, Trade

__all__ = [
    "Account",
    "Agreement",
    "BankEntry",
    "BankFile",
    "BankInstruction",
    "BankReference",
    "BankReport",
    "Break",
    "Call",
    "Chargeback",
    "ClearingCycle",
    "Dispute",
    "ElectronicInvoice",
    "Excuse",
    "FeeSchedule",
    "GatewayMovement",
    "Grant",
    "Instalment",
    "Invoice",
    "LicenseeNotice",
    "Netting",
    "Notice",
    "Payment",
    "Payout",
    "PayoutAccount",
    "Quote",
    "Receipt",
    "Reconciliation",
    "Refund",
    "RefundMending",
    "Reminder",
    "Renewal",
    "Reserve",
    "ReserveTerms",
    "RevenueShare",
    "RevenueSplit",
    "SandboxNotice",
    "SandboxOrder",
    "Statement",
    "StripeAccount",
    "StripeIntent",
    "TaxStatus",
    "Trade",
    "TradeShare",
    "TradeTax",
    "Transfer",
    "Unmatched",
]
