"""How the admin shows records: for looking, never for changing. Deciding goes through the desks and their commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from marketplace import column_words

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices


def _kind_and_number(row: models.Model) -> str:
    return f"{row._meta.verbose_name} {row.pk}"


class SaidOrNot(admin.AllValuesFieldListFilter):
    """A filter of a column that may be empty: a link without words cannot be chosen."""

    def choices(self, changelist: Any) -> Iterator[_ListFilterChoices]:
        for choice in super().choices(changelist):
            choice["display"] = choice["display"] or "–"
            yield choice


class Looking(admin.ModelAdmin):
    """Rows one may look through; nobody adds, changes or deletes one here.

    `exclude` keeps what must not be shown (digests of secrets, check codes), `also` names relations that the words
    for a row need, so that a page costs the same however many rows it shows.
    """

    actions = None
    list_per_page = 50
    view_on_site = False
    show_full_result_count = False
    ordering = ("-pk",)
    also: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()  # long columns a list does not show

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        for field in model._meta.fields:  # named here, for a name given by the model is a migration
            if isinstance(field.verbose_name, str):  # Django's own, made of the field's name; ours are translated
                field.verbose_name = column_words.WORDS.get(field.name, field.verbose_name)
        if model.__str__ is models.Model.__str__:  # "Review object (38)" is said in no language
            model.__str__ = _kind_and_number  # type: ignore[method-assign, assignment]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the list offers to filter by: `?password__startswith=…` would read a hidden column by letters."""
        is_offered = lookup.partition("__")[0] in self.list_filter
        return is_offered and super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        """Every relation the list names, and those the words for them need."""
        shown = {name for name in self.list_display if isinstance(name, str)}
        relations = [
            field.name
            for field in self.model._meta.get_fields()
            if isinstance(field, models.ForeignKey) and field.name in shown
        ]
        return [*relations, *self.also]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and str(match.url_name).endswith("_changelist")
        return rows.defer(*self.unread) if self.unread and is_list else rows
