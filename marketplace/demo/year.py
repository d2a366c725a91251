"""Carries the demo's trades, day by day, by the commands their people would use. What is done already is left alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from compliance import holds
from compliance.models import Hold
from listings.models import Offer
from marketplace import clock
from marketplace.demo import hands
from marketplace.demo.market import Deal, Fate
from marketplace.models import Membership, Organisation, User
from marketplace.roles import MEMBER_ACTS
from settlement import payments, trades
from settlement.gateways import sandbox_bank
from settlement.models import Dispute, Trade, Unmatched
from settlement.states import DisputeState, GrantState, TradeState

OBJECTING = (
    *(Fate.FOUND_GOOD, Fate.FOUND_WANTING, Fate.FOUND_IN_PART),
    *(Fate.AWAITS_REPLY, Fate.AWAITS_DECISION, Fate.AWAITS_ACCOUNT),
)
IN_SEVERAL_STEPS = (Fate.PAID_AT_SECOND_TRY, Fate.PAID_IN_TWO)  # who pauses before each would be too late
CAREFUL = ("peak", "insurer", "institute")  # buyers who download before they accept
UNDER_WAY = (TradeState.PROPOSED, TradeState.REGISTERED, TradeState.DELIVERED, TradeState.DISPUTED)
PURPOSES = (
    "Training of our delay model. 用于训练延误预测模型。",
    "Planning for the coming season. 用于下一季度的业务规划。",
    "Analysis for our own reports. 用于内部分析报告。",
    "A pilot project with our customers. 与客户的试点项目。",
)
OBJECTIONS = (
    "Two days are missing from the files. 文件缺少两天的数据。",
    "The time zone is not the one the manual says. 时区与说明书不符。",
    "The figures of one column look shifted by a row. 其中一列似乎错位一行。",
)
ANSWERS = (
    "The days are there; they are dated in UTC. 数据完整，日期以UTC标注。",
    "We looked into it and see the same; we leave it to the exchange. 我们核查后情况属实，请交易所裁定。",
)


class Carrier:
    """Carries `deals` for these people; `staff` by the name of their desk."""

    def __init__(
        self,
        deals: Sequence[Deal],
        houses: dict[str, Organisation],
        staff: dict[str, User],
        offers: dict[str, list[Offer]],
    ) -> None:
        self._deals = {deal.order: deal for deal in deals}
        self._by_day: dict[int, list[Deal]] = {}
        for deal in deals:
            self._by_day.setdefault(deal.day, []).append(deal)
        self._houses, self._staff, self._offers = houses, staff, offers
        self._people: dict[tuple[int, str], User] = {}

    def propose(self, day: int) -> int:
        """What is bought on this day; how many trades that is."""
        due = self._by_day.get(day, [])
        if not due:
            return 0
        known = Trade.objects.filter(purchase_order__in=[deal.order for deal in due])
        made = set(known.values_list("purchase_order", flat=True))
        for deal in due:
            if deal.order not in made:
                buyer = self._houses[deal.buyer]
                trades.propose(
                    self._offers[deal.product.key][deal.offer],
                    buyer=buyer,
                    purpose=PURPOSES[deal.day % len(PURPOSES)],
                    purchase_order=deal.order,
                    by=self._who(buyer, "propose"),
                )
        return len(due)

    def step(self, day: int) -> int:
        """Whatever its people do today with each trade under way; how many are under way."""
        rows = Trade.objects.filter(purchase_order__startswith="PO-", state__in=UNDER_WAY)
        found = list(rows.select_related("buyer", "seller", "dispute", "grant").order_by("pk"))
        for trade in found:
            deal = self._deals.get(trade.purchase_order)
            if deal is not None:
                STEPS[TradeState(trade.state)](self, deal, trade, day)
        return len(found)

    def match(self) -> None:
        """The desk of payments decides on money that did not fit, but for what shall wait there at the end."""
        rows = Unmatched.objects.filter(decided_at=None, payment__isnull=False).select_related("payment__trade")
        for row in rows.order_by("pk"):
            assert row.payment is not None  # noqa: S101 - asked for above
            trade = row.payment.trade
            deal = self._deals.get(trade.purchase_order)
            if deal is None or deal.fate in (Fate.AWAITS_MATCHING, Fate.AWAITS_RETURN):
                continue
            if deal.fate == Fate.PAID_TWICE or trade.state != TradeState.REGISTERED:
                payments.return_unmatched(row, by=self._staff["payments"])
            elif sum(_arrived(trade)) >= trade.price_minor:
                trades.apply_suspense(trade, by=self._staff["payments"])
                break  # it decided on several rows at once: others are for tomorrow

    # --- one trade ----------------------------------------------------------------------------------------------------

    def _answer(self, deal: Deal, trade: Trade, day: int) -> None:
        if deal.fate in (Fate.IGNORED, Fate.AWAITS_ANSWER) or day < deal.day + deal.pause:
            return
        if deal.fate == Fate.DECLINED:
            reason = "We already serve this field exclusively. 该领域已有独家授权。"
            trades.decline(trade, reason=reason, by=self._who(trade.seller, "decline"))
        elif deal.fate == Fate.CANCELLED:
            self._cancel(trade)
        else:
            trades.agree(trade, by=self._who(trade.seller, "agree"))

    def _pay(self, deal: Deal, trade: Trade, day: int) -> None:
        pause = 0 if deal.fate in IN_SEVERAL_STEPS else deal.pause
        if deal.fate in (Fate.UNPAID, Fate.AWAITS_PAYMENT) or day < deal.day + pause:
            return
        if deal.fate == Fate.AWAITS_INSTALMENT and trade.instalments.filter(paid_at__isnull=False).exists():
            return
        if deal.fate == Fate.CANCELLED:
            self._cancel(trade)
            return
        payment = trade.payments.order_by("-pk")[0]
        if payment.state == "failed":
            trades.pay_again(trade, by=self._who(trade.buyer, "pay"))
            return
        if not payment.reference:  # a gateway that was away has it on the worker's list
            return
        is_first, arrived = payment.key.endswith("-1"), sum(_arrived(trade))
        what = {
            Fate.PAID_AT_SECOND_TRY: "fail" if is_first else "pay",
            Fate.PAID_TWICE: "pay_twice",
            Fate.AWAITS_RETURN: "pay_twice",
            Fate.PAID_IN_TWO: "pay" if arrived else "pay_less",
            Fate.AWAITS_MATCHING: "" if arrived else "pay_less",
        }.get(deal.fate, "pay")
        order = sandbox_bank.order(payment.reference)
        if what in sandbox_bank.possible_acts(order):
            half = {"amount_minor": trade.price_minor // 2} if what == "pay_less" else {}
            kind = "bounce" if deal.fate == Fate.AWAITS_ACCOUNT else "acct"  # what goes to the first comes back
            sandbox_bank.act(payment.reference, what, account=f"{kind}-{deal.buyer}", **half)
        if what == "fail":
            hands.hear()
            trades.pay_again(trade, by=self._who(trade.buyer, "pay"))

    def _inspect(self, deal: Deal, trade: Trade, _day: int) -> None:
        assert trade.delivered_at is not None  # noqa: S101 - it is delivered
        since = _days_since(trade.delivered_at)
        if since < deal.pause or deal.fate in (Fate.SILENT, Fate.AWAITS_INSPECTION):
            return
        self._download(deal, trade)
        if deal.fate in OBJECTING:
            trades.dispute(trade, reason=OBJECTIONS[deal.day % len(OBJECTIONS)], by=self._who(trade.buyer, "dispute"))
        elif deal.fate in (Fate.CHARGEBACK_WON, Fate.CHARGEBACK_LOST, Fate.AWAITS_BANK):
            self._contest(deal, trade, since)
        elif deal.fate == Fate.HELD and not self._was_held(trade, since, deal):
            return
        else:
            trades.accept(trade, by=self._who(trade.buyer, "accept"))

    def _download(self, deal: Deal, trade: Trade) -> None:
        """The careful buyers look at what they got before they say anything; the others take it on trust."""
        grant = trade.grant
        may = grant.state == GrantState.OPEN and not trade.is_frozen
        if deal.buyer in CAREFUL and may and not grant.receipts.exists():
            hands.download(trade, by=self._who(trade.buyer, "download"))

    def _contest(self, deal: Deal, trade: Trade, since: int) -> None:
        reference = trade.payments.order_by("-pk")[0].reference
        possible = sandbox_bank.possible_acts(sandbox_bank.order(reference))
        if "charge_back" in possible and not trade.chargebacks.exists():
            sandbox_bank.act(reference, "charge_back")
        elif trade.is_frozen and since > deal.pause + 4 and deal.fate != Fate.AWAITS_BANK:
            sandbox_bank.act(reference, "win_chargeback" if deal.fate == Fate.CHARGEBACK_WON else "lose_chargeback")
        elif trade.chargebacks.exists() and not trade.is_frozen:
            trades.accept(trade, by=self._who(trade.buyer, "accept"))

    def _was_held(self, trade: Trade, since: int, deal: Deal) -> bool:
        """Whether compliance held it and let it go; else does the next of the two."""
        hold = Hold.objects.filter(subject_kind="trade", subject_id=trade.pk).first()
        officer = self._staff["vetting"]
        if hold is None:
            reason = "The bank asked where the money came from. 银行询问资金来源。"
            holds.place("trade", trade.pk, reason_code="payment_doubt", reason=reason, by=officer)
        elif hold.lifted_at is None and since >= deal.pause + 3:
            holds.lift(hold, reason="The bank is satisfied. 银行已确认无误。", by=officer)
        return hold is not None and hold.lifted_at is not None

    def _argue(self, deal: Deal, trade: Trade, _day: int) -> None:
        dispute = trade.dispute
        if deal.fate == Fate.AWAITS_REPLY:
            return
        if not dispute.answer:
            words = ANSWERS[deal.fate == Fate.FOUND_WANTING]
            trades.answer_dispute(dispute, answer=words, by=self._who(trade.seller, "dispute"))
        elif deal.fate != Fate.AWAITS_DECISION and _days_since(dispute.opened_at) >= 3:
            self._resolve(deal, trade, dispute)

    def _resolve(self, deal: Deal, trade: Trade, dispute: Dispute) -> None:
        if dispute.state != DisputeState.OPEN:
            return
        refund_minor, words = {
            Fate.FOUND_GOOD: (0, "The files are as the manual says. 数据与说明书相符。"),
            Fate.FOUND_IN_PART: (
                trade.price_minor // 4,
                "One column was corrected late. 其中一列更正较晚，退还部分价款。",
            ),
        }.get(deal.fate, (trade.price_minor, "The data differs from the manual. 数据与说明书不符，全额退款。"))
        trades.resolve(dispute, refund_minor=refund_minor, resolution=words, by=self._staff["disputes"])

    def _cancel(self, trade: Trade) -> None:
        trades.cancel(trade, reason="The project was postponed. 项目延期。", by=self._who(trade.buyer, "cancel"))

    def _who(self, organisation: Organisation, act: str) -> User:
        """The one of its people who does such things: the last to join whose role may."""
        key = (organisation.pk, act)
        if key not in self._people:
            members = Membership.objects.filter(organisation=organisation, ended_at=None, role__in=MEMBER_ACTS[act])
            self._people[key] = members.select_related("user").order_by("-pk")[0].user
        return self._people[key]


def _arrived(trade: Trade) -> list[int]:
    """The sums in suspense that name the trade, in minor units."""
    rows = Unmatched.objects.filter(payment__trade=trade, decided_at=None)
    return list(rows.values_list("amount_minor", flat=True))


def _days_since(moment: dt.datetime) -> int:
    return (clock.now().date() - moment.date()).days


Step = Callable[[Carrier, Deal, Trade, int], None]
STEPS: dict[TradeState, Step] = {
    TradeState.PROPOSED: Carrier._answer,
    TradeState.REGISTERED: Carrier._pay,
    TradeState.DELIVERED: Carrier._inspect,
    TradeState.DISPUTED: Carrier._argue,
}
