"""Addresses of the desks of payments, disputes, clearing, reconciliation and trades, under /admin/desks/."""

from django.urls import path

from settlement import (
    bank_desk,
    clearing_desk,
    dispute_desk,
    fees_page,
    netting_desk,
    payment_desk,
    reconciliation_desk,
    reserve_desk,
    trade_desk,
)

urlpatterns = [
    path("payments/", payment_desk.payment_desk, name="desk_payments"),
    path("payments/act/", payment_desk.payment_act, name="desk_payment_act"),
    path("payments/bank/", bank_desk.bank, name="desk_bank"),
    path("payments/bank/act/", bank_desk.bank_act, name="desk_bank_act"),
    path("payments/bank/reports/<int:report_id>/", bank_desk.report, name="desk_bank_report"),
    path("payments/bank/reports/<int:report_id>/file/", bank_desk.report_file, name="desk_bank_report_file"),
    path("payments/bank/files/<int:file_id>/", bank_desk.payment_file, name="desk_bank_file"),
    path("disputes/", dispute_desk.dispute_queue, name="desk_disputes"),
    path("disputes/<int:dispute_id>/", dispute_desk.dispute, name="desk_dispute"),
    path("disputes/<int:dispute_id>/act/", dispute_desk.dispute_act, name="desk_dispute_act"),
    path("clearing/", clearing_desk.clearing_desk, name="desk_clearing"),
    path("clearing/close/", clearing_desk.close, name="desk_clearing_close"),
    path("clearing/preview/", clearing_desk.preview, name="desk_clearing_preview"),
    path("clearing/fees/", fees_page.fees_desk, name="desk_fees"),
    path("clearing/fees/act/", fees_page.fees_act, name="desk_fees_act"),
    path("clearing/netting/", netting_desk.netting_desk, name="desk_netting"),
    path("clearing/netting/act/", netting_desk.netting_act, name="desk_netting_act"),
    path("clearing/reserves/", reserve_desk.reserves_desk, name="desk_reserves"),
    path("clearing/reserves/act/", reserve_desk.reserves_act, name="desk_reserves_act"),
    path("clearing/<int:number>/", clearing_desk.cycle, name="desk_cycle"),
    path("clearing/<int:number>/release/", clearing_desk.release, name="desk_cycle_release"),
    path("reconciliation/", reconciliation_desk.days, name="desk_reconciliation"),
    path("reconciliation/<int:break_id>/", reconciliation_desk.one_break, name="desk_break"),
    path("reconciliation/<int:break_id>/act/", reconciliation_desk.break_act, name="desk_break_act"),
    path("trades/", trade_desk.find, name="desk_trades"),
    path("trades/<str:trade_id>/", trade_desk.trade, name="desk_trade"),
    path("trades/<str:trade_id>/act/", trade_desk.trade_act, name="desk_trade_act"),
]
