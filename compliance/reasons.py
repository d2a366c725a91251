"""Why the staff decide as they do: a code from one table, for counting, and a sentence, for those it concerns."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from marketplace.errors import Invalid

LONGEST_REASON_CHARACTERS = 2000

REASONS: dict[str, dict[str, object]] = {
    "request_more": {
        "document_missing": _("A document is missing"),
        "document_unclear": _("A document cannot be read or has lapsed"),
        "facts_differ": _("What was said differs from the register"),
        "authority_unclear": _("It is unclear whether the applicant may act for the organisation"),
    },
    "approve": {"checks_passed": _("The checks were passed")},
    "refuse": {
        "not_identified": _("The organisation could not be identified"),
        "false_statement": _("A statement was false"),
        "restricted_party": _("The organisation is on a list of restricted parties"),
        "outside_scope": _("The organisation is outside what the exchange serves"),
        "no_answer": _("What was asked for did not come"),
    },
    "suspend": {
        "under_investigation": _("An investigation is under way"),
        "rules_broken": _("A rule of the exchange was broken"),
        "facts_changed": _("Facts changed and must be checked again"),
        "authority_order": _("An authority ordered it"),
        "own_request": _("The organisation asked for it"),
    },
    "reinstate": {
        "cleared": _("What was in doubt is cleared up"),
        "remedied": _("What was wrong is remedied"),
    },
    "expel": {
        "rules_broken": _("Rules of the exchange were broken gravely or repeatedly"),
        "false_statement": _("The organisation was admitted on a false statement"),
        "restricted_party": _("The organisation is on a list of restricted parties"),
        "authority_order": _("An authority ordered it"),
        "dissolved": _("The organisation no longer exists"),
        "own_request": _("The organisation asked for it"),
    },
    "request_changes": {
        "manual_unclear": _("The manual is unclear or incomplete"),
        "rights_unproven": _("The rights are not shown"),
        "classification_doubtful": _("The classification is doubtful"),
        "personal_data": _("Personal information was found that the manual does not declare"),
        "data_differs": _("The data differs from the manual"),
        "quality": _("The data's quality is too low for what is promised"),
    },
    "refuse_version": {
        "source_unlawful": _("The source is not lawful or not shown to be"),
        "rights_missing": _("The seller lacks the rights"),
        "forbidden_data": _("Data of this kind may not be traded"),
        "misleading": _("The product is misleading"),
    },
    "take_back": {"product_withdrawn": _("The seller withdrew the product")},
    "hold": {
        "investigation": _("An investigation is under way"),
        "complaint": _("A complaint is being looked into"),
        "authority_order": _("An authority ordered it"),
        "data_incident": _("An incident with the data is being looked into"),
        "payment_doubt": _("A payment is in doubt"),
        "crossborder_doubt": _("Whether the data may leave the mainland is in doubt"),
    },
}

# What a reviewer may do instead of approving: the table of its reasons.
SEND_BACK = {"request_changes": "request_changes", "refuse": "refuse_version"}


def label(act: str, reason_code: str) -> str:
    """The words of a code that an organisation or a review was decided with."""
    known = REASONS.get(act, {}) | REASONS.get(SEND_BACK.get(act, act), {})
    return str(known.get(reason_code, reason_code))


def require_reason(act: str, reason_code: str, reason: str) -> str:
    """The sentence in the form it is kept. Raises Invalid `no_such_reason` or `reason_needed`."""
    if reason_code not in REASONS[act]:
        raise Invalid(
            _("The reason code is one of: %(known)s."),
            code="no_such_reason",
            next=_("Choose the code that fits and explain it in the sentence."),
            known=", ".join(REASONS[act]),
        )
    return require_sentence(reason)


def require_sentence(reason: str) -> str:
    """The sentence without surrounding space. Raises Invalid `reason_needed` when it is empty or a book."""
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON_CHARACTERS or "\0" in reason:
        raise Invalid(
            _("Give the reason in a sentence, of at most %(longest_reason_characters)s characters."),
            code="reason_needed",
            next=_("Write the sentence that those it concerns will read."),
            longest_reason_characters=LONGEST_REASON_CHARACTERS,
        )
    return reason
