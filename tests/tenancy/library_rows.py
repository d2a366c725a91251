"""The table of what an organisation holds licences for, and of its exports."""

from __future__ import annotations

from tests.tenancy.rules import Own, Row

ROUTES = ("/library/", "/library/licences.csv", "/orders/orders.csv", "/api/v1/licences")
ROWS = [Row("GET", route, Own("look", side="buyer")) for route in ROUTES]
