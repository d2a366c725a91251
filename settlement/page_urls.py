"""Addresses of the pages of trade and money."""

from django.urls import path

from settlement import (
    buying_page,
    evidence_page,
    fees_page,
    invoices_page,
    library_page,
    licensee_notice_page,
    market_page,
    merchant_page,
    money_page,
    quote_page,
    splits_page,
    tax_acts,
    views,
)
from settlement.gateways import stripe_pages

urlpatterns = [
    path("market/", market_page.market_page, name="market"),
    path("fees/", fees_page.fees_page, name="fees"),
    path("merchants/<str:public_id>/", merchant_page.merchant, name="merchant"),
    path("studio/<slug:public_id>/notices/", licensee_notice_page.notices, name="studio_notices"),
    path("studio/<slug:public_id>/split/", splits_page.split, name="studio_split"),
    path("offers/<str:offer_id>/buy/", buying_page.propose, name="propose"),
    path("offers/<str:offer_id>/quotes/", quote_page.new_quote, name="new_quote"),
    path("quotes/", quote_page.quotes_page, name="quotes"),
    path("orders/", views.orders, name="orders"),
    path("orders/orders.csv", library_page.orders_csv, name="orders_csv"),
    path("library/", library_page.library_page, name="library"),
    path("library/licences.csv", library_page.licences_csv, name="licences_csv"),
    path("sales/", views.sales, name="sales"),
    path("trades/<str:trade_id>/", views.trade, name="trade"),
    path("trades/<str:trade_id>/evidence.zip", evidence_page.evidence_pack, name="trade_evidence"),
    path("trades/<str:trade_id>/contract/", views.trade_contract, name="trade_contract"),
    path("trades/<str:trade_id>/<slug:act>/", views.trade_act, name="trade_act"),
    path("money/", money_page.money, name="money"),
    path("money/stripe/", stripe_pages.account, name="stripe_account"),
    path("money/stripe/back/", stripe_pages.back, name="stripe_account_back"),
    path("invoices/", invoices_page.invoices_page, name="invoices"),
    path("invoices/<int:invoice_id>/electronic/", invoices_page.electronic, name="invoice_electronic"),
    path("money/tax-status/", tax_acts.status_act, name="tax_status"),
    path("money/accounts/<int:account_id>/<slug:act>/", money_page.account_act, name="account_act"),
    path("money/shares/", splits_page.shares, name="revenue_shares"),
    path("money/splits/<int:split_id>/<slug:act>/", splits_page.act, name="split_act"),
    path("money/cleared.csv", money_page.cleared_csv, name="cleared_csv"),
    path("money/statements/<int:statement_id>/", money_page.statement, name="statement"),
    path("money/statements/<int:statement_id>.csv", money_page.statement_csv, name="statement_csv"),
]
