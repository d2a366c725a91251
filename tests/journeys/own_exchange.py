"""What a test does in the database of an exchange of its own: `python -m tests.journeys.own_exchange open|check`.

`open` makes a buyer who can sign in and an offer of a listed product, and prints both; `check` ends with an error
unless the one trade there left one of everything.
"""

from __future__ import annotations

import json
import sys

import django

PASSWORD = "a password for journeys"


def open_exchange() -> None:
    from allauth.account.models import EmailAddress

    from tests import trading

    buyer = trading.make_verified("Peak Freight").created_by
    buyer.set_password(PASSWORD)
    buyer.save()
    EmailAddress.objects.create(user=buyer, email=buyer.email, verified=True, primary=True)
    offer = trading.make_offer(licences_total=3)
    sys.stdout.write(json.dumps({"buyer": buyer.email, "offer": offer.public_id}))


def check() -> None:
    from settlement.models import Trade
    from tests.crashes.roads import exactly_one_of_everything
    from tests.trading import Deal

    trade = Trade.objects.get()
    exactly_one_of_everything(Deal(trade, trade.buyer.created_by, trade.seller.created_by))


if __name__ == "__main__":
    django.setup()
    {"open": open_exchange, "check": check}[sys.argv[1]]()
