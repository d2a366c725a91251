"""What the acts of members and staff are called in sentences people read: “edit a product”, not its code."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTS: dict[str, Promise] = {
    # of members
    "look": pgettext_lazy("act", "look"),
    "manage_members": pgettext_lazy("act", "manage members"),
    "manage_tokens": pgettext_lazy("act", "manage keys of scripts"),
    "apply": pgettext_lazy("act", "apply"),
    "edit_listing": pgettext_lazy("act", "edit a product"),
    "submit": pgettext_lazy("act", "hand in for review"),
    "withdraw_listing": pgettext_lazy("act", "withdraw a product"),
    "offer": pgettext_lazy("act", "offer"),
    "propose": pgettext_lazy("act", "propose a trade"),
    "agree": pgettext_lazy("act", "agree to a trade"),
    "decline": pgettext_lazy("act", "decline a trade"),
    "cancel": pgettext_lazy("act", "cancel a trade"),
    "pay": pgettext_lazy("act", "pay"),
    "download": pgettext_lazy("act", "download"),
    "accept": pgettext_lazy("act", "accept a delivery"),
    "dispute": pgettext_lazy("act", "object to a delivery"),
    "see_money": pgettext_lazy("act", "see money"),
    "manage_payout": pgettext_lazy("act", "manage the payout account"),
    # of the staff
    "confirm_account": pgettext_lazy("act", "confirm a payout account"),
    "decide_objection": pgettext_lazy("act", "decide an objection"),
    "decide_report": pgettext_lazy("act", "decide a report"),
    "forget": pgettext_lazy("act", "forget facts of the journal"),
    "hide_question": pgettext_lazy("act", "hide a question"),
    "hold": pgettext_lazy("act", "place or lift a hold"),
    "look_everywhere": pgettext_lazy("act", "look at everything"),
    "manage_staff": pgettext_lazy("act", "manage the staff"),
    "match_payment": pgettext_lazy("act", "match a payment"),
    "release_clearing": pgettext_lazy("act", "release a clearing cycle"),
    "resolve": pgettext_lazy("act", "resolve a dispute"),
    "review": pgettext_lazy("act", "review products"),
    "revoke_paper": pgettext_lazy("act", "revoke a paper"),
    "set_quota": pgettext_lazy("act", "set a quota"),
    "suspend_listing": pgettext_lazy("act", "suspend a product"),
    "try_again": pgettext_lazy("act", "try stuck work again"),
    "vet": pgettext_lazy("act", "vet organisations"),
    "withdraw_entry": pgettext_lazy("act", "withdraw a catalogue entry"),
    # moves of a verification, a product, a version and a review
    "approve": pgettext_lazy("act", "approve"),
    "approve_second": pgettext_lazy("act", "approve as the second"),
    "expel": pgettext_lazy("act", "expel"),
    "publish": pgettext_lazy("act", "list"),
    "refuse": pgettext_lazy("act", "refuse"),
    "register": pgettext_lazy("act", "register"),
    "reinstate": pgettext_lazy("act", "reinstate"),
    "request_changes": pgettext_lazy("act", "ask for changes"),
    "request_more": pgettext_lazy("act", "ask for more"),
    "resume": pgettext_lazy("act", "resume"),
    "suspend": pgettext_lazy("act", "suspend"),
    "take": pgettext_lazy("act", "take"),
    "take_back": pgettext_lazy("act", "take back"),
    "withdraw": pgettext_lazy("act", "withdraw"),
}
