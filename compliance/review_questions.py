"""Questions of the staff about a field of the manual, answered by the seller in place; and the staff's own notes.

While a question waits, the version stays as it is and the review's target stands still. Every command locks the
review first.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import review_notices
from compliance.models import Review, ReviewNote, ReviewQuestion
from compliance.states import IN_HAND
from listings import plain_text
from listings.models import MANUAL
from marketplace import clock, joint_merchants, journal, roles, working_time
from marketplace.errors import Invalid, RoleNeeded, WrongState
from marketplace.models import User

FIELDS = (*MANUAL, "offers")  # what one may ask about
LONGEST_TEXT_CHARACTERS = 2000


@transaction.atomic
def ask(review: Review, *, field: str, question: str, by: User) -> ReviewQuestion:
    """Ask the seller about a field; the target stands still until it is answered.

    Raises RoleNeeded, WrongState, Invalid.
    """
    if field not in FIELDS:
        raise Invalid(_("Ask about one of: %(known)s."), code="no_such_field", known=", ".join(FIELDS))
    text = _text(question)
    review = _locked_for_staff(review, by)
    if review.state not in IN_HAND:
        raise WrongState(_("Questions are asked while the review is in hand: take it first."))
    asked = ReviewQuestion.objects.create(review=review, field=field, question=text, asked_by=by, asked_at=clock.now())
    if review.stands_still_since is None:
        review.stands_still_since = asked.asked_at
        review.save(update_fields=["stands_still_since"])
    review_notices.tell_of_question(asked)
    journal.record("review.question_asked", review, by=by, question=asked.pk, field=field)
    return asked


@transaction.atomic
def answer(question: ReviewQuestion, *, answer: str, by: User) -> ReviewQuestion:
    """The seller answers; what was handed in stays as it is. Raises RoleNeeded, WrongState, Invalid."""
    roles.require(by, question.review.version.listing.seller, "edit_listing")
    text = _text(answer)
    question = _locked(question)
    question.answer, question.answered_by, question.answered_at = text, by, clock.now()
    question.save(update_fields=["answer", "answered_by", "answered_at"])
    _go_on(question.review)
    journal.record("review.question_answered", question.review, by=by, question=question.pk, field=question.field)
    return question


@transaction.atomic
def withdraw(question: ReviewQuestion, *, by: User) -> ReviewQuestion:
    """The staff need no answer any more. Raises RoleNeeded, WrongState."""
    _locked_for_staff(question.review, by)
    question = _locked(question)
    question.withdrawn_by, question.withdrawn_at = by, clock.now()
    question.save(update_fields=["withdrawn_by", "withdrawn_at"])
    _go_on(question.review)
    journal.record("review.question_withdrawn", question.review, by=by, question=question.pk, field=question.field)
    return question


def close_open(review: Review, *, by: User) -> None:
    """A review that ends needs no answer any more. The caller has locked it."""
    for question in review.questions.filter(answered_at=None, withdrawn_at=None):
        question.withdrawn_by, question.withdrawn_at = by, clock.now()
        question.save(update_fields=["withdrawn_by", "withdrawn_at"])
        journal.record("review.question_withdrawn", review, by=by, question=question.pk, field=question.field)
    _go_on(review)


@transaction.atomic
def note(review: Review, *, text: str, by: User) -> ReviewNote:
    """Tell colleagues something the seller never sees, at any time. Raises RoleNeeded, Invalid."""
    said = _text(text)
    review = _locked_for_staff(review, by)
    written = ReviewNote.objects.create(review=review, text=said, by=by, at=clock.now())
    journal.record("review.noted", review, by=by, note=written.pk)
    return written


def _locked_for_staff(review: Review, by: User) -> Review:
    roles.require_staff(by, "review")
    review = Review.objects.select_for_update(of=("self",)).select_related("version__listing").get(pk=review.pk)
    if review.submitted_by_id == by.pk:
        raise RoleNeeded(
            _("Nobody reviews what they submitted."), code="own_submission", next=_("Let a colleague do it.")
        )
    if joint_merchants.has_interest(by, review.version.listing.seller_id):
        raise RoleNeeded(
            _("Nobody reviews a product of an organisation they belong or belonged to."),
            code="own_organisation",
            next=_("Let a colleague do it."),
        )
    return review


def _locked(question: ReviewQuestion) -> ReviewQuestion:
    """The question, still open, with its review locked before it."""
    review = Review.objects.select_for_update(of=("self",)).get(pk=question.review_id)
    question = ReviewQuestion.objects.select_for_update().get(pk=question.pk)
    question.review = review
    if not question.is_open:
        raise WrongState(_("This question was answered or withdrawn already."))
    return question


def _go_on(review: Review) -> None:
    """Once no question waits, the target moves on by the working time that the last of them took."""
    if review.stands_still_since is None or review.questions.filter(answered_at=None, withdrawn_at=None).exists():
        return
    waited = working_time.worked(review.stands_still_since, clock.now())
    review.due_at = working_time.after(review.due_at, waited)
    review.stands_still_since = None
    review.save(update_fields=["due_at", "stands_still_since"])


def _text(text: object) -> str:
    try:
        return plain_text.cleaned(text, LONGEST_TEXT_CHARACTERS, shortest=1)
    except plain_text.NotPlain as wrong:
        raise Invalid(_("Say it in words. %(wrong)s"), code="words_needed", wrong=wrong) from None
