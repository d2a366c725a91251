"""Questions to the seller: asked for an organisation, answered in public, hidden by the staff where they must be."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from listings import plain_text, question_notices
from listings.models import Answer, Listing, Question
from listings.states import ListingState
from marketplace import clock, joint_merchants, journal, roles
from marketplace.errors import Refused, RoleNeeded, WrongState
from marketplace.models import Organisation, User

LONGEST_QUESTION = 1000
LONGEST_ANSWER = 2000
LONGEST_REASON = 1000
MOST_OPEN = 3  # of one organisation about one product
MOST_A_DAY = 20  # of one person, whatever the product: each is a letter to its seller
MOST_ANSWERS = 5  # to one question


class TooManyQuestions(Refused):
    """You asked as many questions as one may for now."""

    code = "too_many_questions"
    status = 429
    says = _("You asked as many questions as one may for now.")
    next = _("Wait for the seller's answers, then ask again.")


class TakesNoQuestions(Refused):
    """This product takes no questions now."""

    code = "takes_no_questions"
    says = _("This product takes no questions now.")
    next = _("Ask once it is on sale again.")


class TooManyAnswers(Refused):
    """This question has as many answers as one may have."""

    code = "too_many_answers"
    says = _("This question has as many answers as one may have.")
    next = _("Say what else there is to say in the product's manual.")


@transaction.atomic
def ask(listing: Listing, *, asked_for: Organisation, text: str, by: User) -> Question:
    """Ask the seller about a product on sale. The seller reads it at once, everybody with its first answer.

    Raises RoleNeeded, TakesNoQuestions, Invalid, TooManyQuestions, and Refused `own_product`.
    """
    roles.require(by, asked_for, "look")
    # The product's row is locked so that two questions of one organisation cannot both be the last one allowed, and
    # the person's so that two to two products cannot.
    found = Listing.objects.select_for_update(no_key=True, of=("self",)).select_related("seller").get(pk=listing.pk)
    if joint_merchants.are_one_party(found.seller, asked_for):
        raise Refused(
            _("This is your own product."), code="own_product", next=_("Say what is missing in the product's manual.")
        )
    if found.state != ListingState.LISTED:
        raise TakesNoQuestions()
    text = plain_text.needed(text, _("Write your question."), LONGEST_QUESTION)
    if Question.objects.open().filter(listing=found, asked_for=asked_for).count() >= MOST_OPEN:
        raise TooManyQuestions(
            _("%(most)s of your questions about this product wait for their answers."), most=MOST_OPEN
        )
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if Question.objects.filter(by=by, asked_at__gt=clock.now() - dt.timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyQuestions(
            _("You asked %(most)s questions within a day."), next=_("Ask again tomorrow."), most=MOST_A_DAY
        )
    question = Question.objects.create(listing=found, asked_for=asked_for, text=text, by=by)
    journal.record("question.asked", question, by=by, listing=found.pk, asked_for=asked_for.pk)
    question_notices.tell_seller(question)
    return question


@transaction.atomic
def answer(question: Question, *, text: str, by: User) -> Answer:
    """Answer, or add to an answer. What was said before stays as it was.

    Raises RoleNeeded, WrongState for a hidden question, Invalid, TooManyAnswers.
    """
    found = _locked(question)
    roles.require(by, found.listing.seller, "edit_listing")
    _require_shown(found)
    text = plain_text.needed(text, _("Write your answer."), LONGEST_ANSWER)
    if found.answers.count() >= MOST_ANSWERS:
        raise TooManyAnswers()
    now = clock.now()
    given = Answer.objects.create(question=found, text=text, by=by, answered_at=now)
    if found.answered_at is None:
        found.answered_at = now
        found.save(update_fields=["answered_at"])
    journal.record("question.answered", found, by=by, listing=found.listing_id, answer=given.pk)
    question_notices.tell_asker(given)
    return given


@transaction.atomic
def hide(question: Question, *, reason: str, by: User) -> Question:
    """Show a question and its answers to nobody but its two sides, who read why. Nothing is deleted.

    Raises RoleNeeded, WrongState for what is hidden already, Invalid.
    """
    roles.require_staff(by, "hide_question")
    found = _locked(question)
    _require_shown(found)
    if any(joint_merchants.has_interest(by, one) for one in (found.listing.seller_id, found.asked_for_id)):
        raise RoleNeeded(
            _("You have an interest in this question."),
            code="own_question",
            next=_("Let a colleague who has none decide."),
        )
    found.hidden_reason = plain_text.needed(reason, _("Say why, in words both sides read."), LONGEST_REASON)
    found.hidden_at, found.hidden_by = clock.now(), by
    found.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
    journal.record("question.hidden", found, by=by, listing=found.listing_id)
    question_notices.tell_of_hiding(found)
    return found


def _locked(question: Question) -> Question:
    rows = Question.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("listing__seller", "listing__current_version", "by").get(pk=question.pk)


def _require_shown(question: Question) -> None:
    if question.hidden_at is not None:
        raise WrongState(_("The exchange has hidden this question."))
