"""The ground of the staff's desks: who sees which, how a page is drawn, and how an act of the staff is posted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from marketplace import posted, roles
from marketplace.errors import Invalid, RoleNeeded
from marketplace.models import User
from marketplace.signed_in import person

ROWS_ON_A_PAGE = 25

# The desks in the order of their tabs; each has the page `desk_<name>`.
TITLES: dict[str, Promise] = {
    "organisations": _("Organisations"),
    "participants": _("Participants"),
    "reviews": _("Reviews"),
    "objections": _("Objections"),
    "reports": _("Reports"),
    "questions": _("Questions"),
    "demands": _("Demands"),
    "payments": _("Payments"),
    "disputes": _("Disputes"),
    "clearing": _("Clearing"),
    "reconciliation": _("Reconciliation"),
    "trades": _("Trades"),
    "papers": _("Papers"),
    "announcements": _("Announcements"),
    "decisions": _("Decisions"),
    "stuck": _("Stuck work"),
}

View = Callable[..., HttpResponse]


def desk(name: str) -> Callable[[View], View]:
    """A page of this desk: nobody goes to the sign-in, members find nothing, staff need a role that sees it."""

    def guard(view: View) -> View:
        @login_required
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not person(request).is_staff:
                raise Http404
            if not roles.sees_desk(person(request), name):
                seen_by = sorted(str(role.label) for role in roles.DESKS[name] | roles.SEES_EVERY_DESK)
                raise RoleNeeded(
                    _("The desk “%(desk)s” is for these staff roles: %(known)s."),
                    desk=TITLES[name],
                    known=", ".join(seen_by),
                )
            return view(request, *args, **kwargs)

        return guarded

    return guard


def desks_of(by: User) -> list[str]:
    """The desks this member of the staff sees, in the order of the tabs."""
    return [name for name in TITLES if roles.sees_desk(by, name)]


def render_desk(request: HttpRequest, name: str, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page of the desk `name`, with the tabs of all desks this person sees."""
    return render(request, template, frame_of(request, name) | {"desk": name, "desk_title": TITLES[name]} | context)


def frame_of(request: HttpRequest, name: str = "") -> dict[str, Any]:
    """What the frame of every page of the staff shows: the tabs of the desks this person sees, `name` the current."""
    seen = desks_of(person(request))
    tabs = [{"label": TITLES[other], "url": reverse(f"desk_{other}"), "current": other == name} for other in seen]
    return {"desk_tabs": tabs, "desks_seen": seen}


def ordered(
    request: HttpRequest, orders: Mapping[str, tuple[str | Promise, Sequence[Any]]]
) -> tuple[Sequence[Any], list[dict[str, Any]]]:
    """The fields a list is sorted by, and the orders to choose from as `admin/desks/_orders.html` takes them.

    `orders` are `{value of ?sort=: (label, fields)}`, the first of them for whoever chose none that there is.
    """
    asked = request.GET.get("sort", "")
    chosen = asked if asked in orders else next(iter(orders))
    choices = [{"key": key, "label": label, "current": key == chosen} for key, (label, _fields) in orders.items()]
    return orders[chosen][1], choices


def acted(
    request: HttpRequest, command: Callable[[], Any], *, done: str | Promise | Callable[[], str], back: str
) -> HttpResponse:
    """Run a command once for the form that was sent, say that it is done, and go back. Refusals go on as they are.

    What is said may be a function, asked afterwards, where it depends on what came of the command.
    """
    posted.posted_once(request, None, lambda: bool(command()))
    messages.success(request, done() if callable(done) else str(done))
    return redirect(back)


def parsed(form: forms.Form) -> dict[str, Any]:
    """What the form says. Raises Invalid, with one reason for each field that is wrong."""
    if not form.is_valid():
        reasons = [
            {"code": str(error.code or "invalid"), "field": field, "detail": _label(form, field) + message, "next": ""}
            for field, errors in form.errors.as_data().items()
            for error in errors
            for message in error.messages
        ]
        raise Invalid(_("Some of what was sent cannot be used."), reasons=reasons)
    return dict(form.cleaned_data)


def posted_id(request: HttpRequest, field: str) -> int:
    """The id of the row a hidden field names; 0, which no row has, for anything else."""
    text = request.POST.get(field, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _label(form: forms.Form, field: str) -> str:
    return f"{form.fields[field].label}: " if field in form.fields else ""


def act_button(name: str, label: str | Promise, url: str, **more: Any) -> dict[str, Any]:
    """One act as templates/_acts.html takes it, with a key of its own and the act's name."""
    fields = {"act": name} | more.pop("fields", {})
    return {"label": label, "url": url, "key": posted.new_key(), "fields": fields, **more}
