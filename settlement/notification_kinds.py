"""What people are told of trades, money and payout accounts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from marketplace import notifications
from marketplace.notifications import Group, Kind
from settlement import licence_kinds

IF_UNEXPECTED = _("If you did not expect this, stop it on this page and write to the exchange:")
KINDS = [
    Kind(
        code="licensees.new_release",
        group=Group.BUYING,
        label=_("A new release of what you hold"),
        subject=_("A new release of “%(title)s”"),
        text=_("%(seller)s tells its licensees of a new release, from %(on)s:"),
    ),
    Kind(
        code="licensees.delay",
        group=Group.BUYING,
        label=_("A delay of what you hold"),
        subject=_("A delay of “%(title)s”"),
        text=_("%(seller)s tells its licensees of a delay, from %(on)s:"),
    ),
    Kind(
        code="licensees.schema_change",
        group=Group.BUYING,
        label=_("A change of the schema of what you hold"),
        subject=_("The schema of “%(title)s” changes"),
        text=_("%(seller)s tells its licensees of a change of the schema, from %(on)s:"),
        next_step=_("What was measured to differ stands on the product's page:"),
    ),
    Kind(
        code="licensees.end_of_life",
        group=Group.BUYING,
        label=_("The end of what you hold"),
        subject=_("“%(title)s” comes to its end"),
        text=_("%(seller)s tells its licensees that the product is kept up no longer, from %(on)s:"),
    ),
    Kind(
        code="trade.proposed",
        group=Group.TRADES,
        label=_("A buyer proposes a trade"),
        subject=_("%(buyer)s proposes a trade of “%(title)s”"),
        text=_("The price is %(price)s. Agree or decline until %(until)s."),
        act="agree",
    ),
    Kind(
        code="trade.bought",
        group=Group.TRADES,
        label=_("A buyer takes an open offer of yours"),
        subject=_("%(buyer)s bought “%(title)s”"),
        text=_(
            "The price is %(price)s. Your offer was open, so the contract is agreed: the exchange registers "
            "it and waits for the payment. You need do nothing."
        ),
        act="agree",
    ),
    Kind(
        code="trade.agreed",
        group=Group.TRADES,
        label=_("The seller agrees to your proposal"),
        subject=_("%(seller)s agreed to your proposal for “%(title)s”"),
        text=_("The exchange now registers the contract and then asks for the payment."),
        act="propose",
    ),
    Kind(
        code="trade.declined",
        group=Group.TRADES,
        label=_("The seller declines your proposal"),
        subject=_("%(seller)s declined your proposal for “%(title)s”"),
        act="propose",
    ),
    Kind(
        code="trade.cancelled",
        group=Group.TRADES,
        label=_("A buyer cancels a trade"),
        subject=_("%(buyer)s cancelled the trade of “%(title)s”"),
        act="agree",
    ),
    Kind(
        code="trade.expired",
        group=Group.TRADES,
        label=_("A trade expires"),
        subject=_("The trade of “%(title)s” expired"),
        text=_("Its time was over before it could go on. Money that arrives now goes back."),
        act="propose",
    ),
    Kind(
        code="trade.to_pay",
        group=Group.TRADES,
        label=_("A payment is due"),
        subject=_("Pay for “%(title)s” until %(until)s"),
        text=_("The contract is registered under %(number)s. %(price)s is due."),
        act="pay",
    ),
    Kind(
        code="trade.pay_next",
        group=Group.TRADES,
        label=_("The next instalment is due"),
        subject=_("Pay the next instalment of “%(title)s” until %(until)s"),
        text=_("%(paid)s arrived and is held for you. %(price)s is due next; you may pay it at once."),
        act="pay",
    ),
    Kind(
        code="trade.answer_soon",
        group=Group.TRADES,
        label=_("A proposal is about to lapse"),
        subject=_("%(buyer)s still waits for your answer on “%(title)s”"),
        text=_("Agree or decline until %(until)s; then the proposal lapses."),
        act="agree",
    ),
    Kind(
        code="trade.pay_soon",
        group=Group.TRADES,
        label=_("The time to pay is about to end"),
        subject=_("“%(title)s” is not paid yet"),
        text=_(
            "%(price)s is due until %(until)s; then the trade expires. Who lets several trades expire unpaid may"
            " take no further offers for a while."
        ),
        act="pay",
        is_required=True,
    ),
    Kind(
        code="trade.inspect_soon",
        group=Group.TRADES,
        label=_("The time to inspect is about to end"),
        subject=_("Accept “%(title)s” or object until %(until)s"),
        text=_("After that your silence accepts the delivery, and the price goes to the seller."),
        act="accept",
    ),
    Kind(
        code="trade.funded",
        group=Group.TRADES,
        label=_("A buyer has paid"),
        subject=_("%(buyer)s paid for “%(title)s”"),
        text=_("The exchange holds %(price)s in escrow and opens the access. You need do nothing."),
        act="agree",
    ),
    Kind(
        code="trade.delivered",
        group=Group.TRADES,
        label=_("What you bought is delivered"),
        subject=_("“%(title)s” is delivered"),
        text=_("Look at it and accept it, or object, until %(until)s. Silence accepts."),
        act="accept",
    ),
    Kind(
        code="trade.accepted",
        group=Group.TRADES,
        label=_("A delivery is accepted"),
        subject=_("The delivery of “%(title)s” to %(buyer)s is accepted"),
        text=_("The price is cleared in the next cycle."),
        act="agree",
    ),
    Kind(
        code="trade.disputed",
        group=Group.TRADES,
        label=_("A buyer objects to a delivery"),
        subject=_("%(buyer)s objects to “%(title)s”"),
        text=_("The buyer says what is wrong:"),
        next_step=_("Answer on this page; then the exchange decides:"),
        act="dispute",
    ),
    Kind(
        code="dispute.answered",
        group=Group.TRADES,
        label=_("The seller answers your objection"),
        subject=_("%(seller)s answered your objection to “%(title)s”"),
        text=_("The seller says:"),
        act="dispute",
    ),
    Kind(
        code="dispute.decided",
        group=Group.TRADES,
        label=_("A dispute is decided"),
        subject=_("The dispute over “%(title)s” is decided"),
        text=_("Of the price, %(award)s goes back to the buyer. The exchange gives this reason:"),
        act="dispute",
    ),
    Kind(
        code="trade.refunded",
        group=Group.TRADES,
        label=_("A trade ends and the price goes back"),
        subject=_("The trade of “%(title)s” ended; the price goes back"),
        text=_(
            "It could not be delivered, or the bank of the payer took the payment back. The reason stands on"
            " the trade's page."
        ),
        act="propose",
    ),
    Kind(
        code="trade.cleared",
        group=Group.TRADES,
        label=_("A trade is cleared"),
        subject=_("The trade of “%(title)s” is cleared"),
        text=_("In cycle %(cycle)s, %(net)s of %(price)s falls to you after the fee."),
        act="see_money",
        by_mail=False,
    ),
    Kind(
        code="trade.held",
        group=Group.TRADES,
        label=_("A hold is placed on a trade of yours"),
        subject=_("The exchange holds the trade of “%(title)s”"),
        text=_(
            "Until the hold is lifted the trade and its deadlines stand still, and an open access rests. "
            "The exchange says:"
        ),
        next_step=_("You may still cancel or object where the trade allows it. The trade:"),
    ),
    Kind(
        code="trade.released",
        group=Group.TRADES,
        label=_("A hold on a trade of yours is lifted"),
        subject=_("The hold on the trade of “%(title)s” is lifted"),
        text=_("The trade goes on; its deadlines go on from where they stood."),
    ),
    *licence_kinds.KINDS,
    Kind(
        code="payment.failed",
        group=Group.MONEY,
        label=_("A payment of yours fails"),
        subject=_("A payment for “%(title)s” failed"),
        text=_("It did not go through. Start another until %(until)s."),
        act="pay",
        is_required=True,
    ),
    Kind(
        code="refund.paid",
        group=Group.MONEY,
        label=_("A refund is paid"),
        subject=_("%(amount)s was paid back to you"),
        text=_("It is the refund for “%(title)s”."),
        act="pay",
        is_required=True,
    ),
    Kind(
        code="refund.bounced",
        group=Group.MONEY,
        label=_("A refund does not arrive"),
        subject=_("A refund of %(amount)s did not arrive"),
        text=_(
            "The bank returned what was paid back for “%(title)s”. Write to the exchange and name an account"
            " that works."
        ),
        act="pay",
        is_required=True,
    ),
    Kind(
        code="payout.paid",
        group=Group.MONEY,
        label=_("A payout is paid"),
        subject=_("%(amount)s was paid out to you"),
        text=_("The statement of the cycle shows every trade and deduction."),
        act="manage_payout",
        is_required=True,
    ),
    Kind(
        code="payout.bounced",
        group=Group.MONEY,
        label=_("A payout does not arrive"),
        subject=_("A payout of %(amount)s did not arrive"),
        text=_(
            "The bank returned it; the exchange still owes it to you. Check your payout account and name "
            "another if it is wrong."
        ),
        act="manage_payout",
        is_required=True,
    ),
    Kind(
        code="chargeback.opened",
        group=Group.MONEY,
        label=_("A payment is contested at the bank"),
        subject=_("The payment for “%(title)s” is contested"),
        text=_(
            "The bank of the payer was asked to take %(price)s back. The trade stands still until the bank has decided."
        ),
        act="see_money",
        is_required=True,
    ),
    Kind(
        code="reserve_terms.confirmed",
        group=Group.MONEY,
        label=_("A part of what you get is kept back"),
        subject=_("From %(day)s a part of what you get is kept in reserve"),
        text=_(
            "%(percent)s %% of what each clearing brings you in %(currency)s is kept back for %(days)s days, then paid "
            "out. The exchange’s reason: %(reason)s"
        ),
        act="see_money",
        is_required=True,
    ),
    Kind(
        code="netting.granted",
        group=Group.MONEY,
        label=_("Netting is granted to you"),
        subject=_("You are paid one net sum a cycle"),
        text=_(
            "From the next cycle that closes on your domestic trades are paid as one sum; those across the border are "
            "paid alone. The legal opinion: %(because)s"
        ),
        act="see_money",
        is_required=True,
    ),
    Kind(
        code="netting.stopped",
        group=Group.MONEY,
        label=_("The exchange ends or refuses netting"),
        subject=_("You are paid trade by trade"),
        text=_("In every cycle that closes from now each trade is paid alone. The exchange’s reason: %(because)s"),
        act="see_money",
        is_required=True,
    ),
    Kind(
        code="split.proposed",
        group=Group.MONEY,
        label=_("Somebody shares revenue with you"),
        subject=_("%(seller)s shares the revenue of “%(title)s” with you"),
        text=_("The split is in force once everybody named has agreed. Look at your share, then agree or decline."),
        act="split_revenue",
        is_required=True,
    ),
    Kind(
        code="split.in_force",
        group=Group.MONEY,
        label=_("A revenue split of yours is in force"),
        subject=_("The revenue of “%(title)s” is shared"),
        text=_("Everybody named has agreed. Trades proposed from now on are shared by it."),
        act="split_revenue",
        is_required=True,
    ),
    Kind(
        code="split.declined",
        group=Group.MONEY,
        label=_("A revenue split of yours is declined"),
        subject=_("The revenue split of “%(title)s” was declined"),
        text=_("Somebody named did not agree. You may lay down another."),
        act="split_revenue",
        is_required=True,
    ),
    Kind(
        code="payout_account.named",
        group=Group.SECURITY,
        label=_("A payout account is named"),
        subject=_("A payout account was named for %(organisation)s"),
        text=_(
            "%(by)s named a new payout account for %(organisation)s: %(account)s. A second person has to confirm it "
            "before it is used."
        ),
        next_step=IF_UNEXPECTED,
        act="manage_members",
        is_required=True,
    ),
    Kind(
        code="payout_account.confirmed",
        group=Group.SECURITY,
        label=_("A payout account is confirmed"),
        subject=_("The payout account of %(organisation)s changes"),
        text=_(
            "A new payout account of %(organisation)s, named by %(named_by)s, was confirmed by %(by)s: %(account)s. "
            "Payouts go to it from %(at)s."
        ),
        next_step=IF_UNEXPECTED,
        act="manage_members",
        is_required=True,
    ),
    Kind(
        code="payout_account.dropped",
        group=Group.SECURITY,
        label=_("A payout account is dropped"),
        subject=_("The new payout account of %(organisation)s was dropped"),
        text=_(
            "The new payout account that was named for %(organisation)s, %(account)s, was dropped by %(by)s. Payouts "
            "go where they went before."
        ),
        next_step=IF_UNEXPECTED,
        act="manage_members",
        is_required=True,
    ),
]


def register() -> None:
    """Make them known; called once, when Django has loaded the app."""
    notifications.register(*KINDS)
