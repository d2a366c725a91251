"""Addresses of settlement's API, under /api/v1/."""

from django.urls import path

from settlement import accounts_api, api, evidence_page, library_page, market_page, staff_api
from settlement.gateways.sandbox_api import SandboxActs

urlpatterns = [
    path("market", market_page.MarketFigures.as_view(), name="api_market"),
    path("licences", library_page.Licences.as_view(), name="api_licences"),
    path("trades", api.Trades.as_view(), name="api_trades"),
    path("trades/<str:trade_id>", api.OneTrade.as_view(), name="api_trade"),
    path("trades/<str:trade_id>/agreement", api.TradeAgreement.as_view(), name="api_trade_agreement"),
    path("trades/<str:trade_id>/refusal", api.TradeRefusal.as_view(), name="api_trade_refusal"),
    path("trades/<str:trade_id>/cancellation", api.TradeCancellation.as_view(), name="api_trade_cancellation"),
    path("trades/<str:trade_id>/payments", api.TradePayments.as_view(), name="api_trade_payments"),
    path("trades/<str:trade_id>/access", api.TradeAccess.as_view(), name="api_trade_access"),
    path("trades/<str:trade_id>/evidence", evidence_page.TradeEvidence.as_view(), name="api_trade_evidence"),
    path("trades/<str:trade_id>/receipts", api.TradeReceipts.as_view(), name="api_trade_receipts"),
    path("trades/<str:trade_id>/acceptance", api.TradeAcceptance.as_view(), name="api_trade_acceptance"),
    path("trades/<str:trade_id>/dispute", api.TradeDispute.as_view(), name="api_trade_dispute"),
    path("trades/<str:trade_id>/dispute/answer", api.TradeDisputeAnswer.as_view(), name="api_trade_dispute_answer"),
    path("trades/<str:trade_id>/dispute/award", api.TradeAward.as_view(), name="api_trade_award"),
    path("statements", api.Statements.as_view(), name="api_statements"),
    path("statements/<int:statement_id>/lines", api.StatementLines.as_view(), name="api_statement_lines"),
    path("money", api.MemberMoney.as_view(), name="api_money"),
    path("payouts", api.Payouts.as_view(), name="api_payouts"),
    path("payout-accounts", accounts_api.PayoutAccounts.as_view(), name="api_payout_accounts"),
    path("payout-accounts/<int:account_id>/confirmation", accounts_api.AccountConfirmation.as_view()),
    path("payout-accounts/<int:account_id>/dropping", accounts_api.AccountDropping.as_view()),
    path("waiting-payout-accounts", accounts_api.WaitingAccounts.as_view()),
    path("waiting-payout-accounts/<int:account_id>/confirmation", accounts_api.WaitingAccountConfirmation.as_view()),
    path("waiting-payout-accounts/<int:account_id>/dropping", accounts_api.WaitingAccountDropping.as_view()),
    path("sandbox/orders/<str:reference>/acts", SandboxActs.as_view(), name="api_sandbox_acts"),
    path("cycles", staff_api.Cycles.as_view(), name="api_cycles"),
    path("cycles/current/closing", staff_api.CycleClosing.as_view(), name="api_cycle_closing"),
    path("cycles/<int:number>/release", staff_api.CycleRelease.as_view(), name="api_cycle_release"),
    path("unmatched", staff_api.UnmatchedMoney.as_view(), name="api_unmatched"),
    path("unmatched/<int:unmatched_id>/return", staff_api.UnmatchedReturn.as_view(), name="api_unmatched_return"),
    path(
        "trades/<str:trade_id>/funding-from-suspense",
        staff_api.TradeFundingFromSuspense.as_view(),
        name="api_funding_from_suspense",
    ),
    path("trades/<str:trade_id>/hold", staff_api.TradeHold.as_view(), name="api_trade_hold"),
    path("refunds/bounced", staff_api.BouncedRefunds.as_view(), name="api_bounced_refunds"),
    path("refunds/<str:key>/resending", staff_api.RefundResending.as_view(), name="api_refund_resending"),
    path("mendings", staff_api.Mendings.as_view()),
    path("mendings/<int:mending_id>/confirmation", staff_api.MendingConfirmation.as_view()),
    path("mendings/<int:mending_id>/dropping", staff_api.MendingDropping.as_view()),
    path("gateways/<str:name>/notices", api.gateway_notices, name="gateway_notices"),
]
