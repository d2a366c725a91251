"""How the admin shows records: for looking, never for changing. Deciding goes through the desks and their commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import pgettext

from marketplace import column_words, record_words

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices


def _kind_and_number(row: models.Model) -> str:
    return f"{row._meta.verbose_name} {row.pk}"


Says = Callable[[str], str]  # a stored code, in the reader's words


def by(table: Mapping[str, Any]) -> Says:
    """Says a code by this table, and what the table lacks as it is."""
    return lambda code: str(table.get(code, code))


class SaidOrNot(admin.AllValuesFieldListFilter):
    """A filter of a column that may be empty: a link without words cannot be chosen. Codes are said in words."""

    def choices(self, changelist: Any) -> Iterator[_ListFilterChoices]:
        says = changelist.model_admin.says.get(self.field_path, str)
        for at, choice in enumerate(super().choices(changelist)):
            if at:  # the first is all of them, in Django's words
                choice["display"] = says(choice["display"]) if choice["display"] else "–"
            yield choice


def _worded(field: models.Field[Any, Any], says: Says) -> Callable[[models.Model], str]:
    """A column that says what `field` keeps as a code."""

    @admin.display(description=field.verbose_name, ordering=field.name, empty_value="–")
    def worded(row: models.Model) -> str:
        code = getattr(row, field.name)
        if isinstance(code, list):
            return pgettext("between things named", ", ").join(says(one) for one in code)
        return says(code) if code else ""

    return worded


def _indented(field: models.Field[Any, Any]) -> Callable[[models.Model], str]:
    """A column that shows the JSON of `field` as a person reads it."""

    @admin.display(description=field.verbose_name, empty_value="–")
    def indented(row: models.Model) -> str:
        kept = getattr(row, field.name)
        return format_html("<pre>{}</pre>", json.dumps(kept, ensure_ascii=False, indent=2)) if kept else ""

    return indented


class Looking(admin.ModelAdmin):
    """Rows one may look through; nobody adds, changes or deletes one here.

    `exclude` keeps what must not be shown (digests of secrets, check codes), `also` names relations that the words
    for a row need, so that a page costs the same however many rows it shows. `says` has the words for the codes of
    columns without choices.
    """

    actions = None
    list_per_page = 50
    view_on_site = False
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    also: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()  # long columns a list does not show
    says: ClassVar[dict[str, Says]] = {}

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        if model._meta.label in record_words.CALLED:
            model._meta.verbose_name, model._meta.verbose_name_plural = record_words.CALLED[model._meta.label]
        for field in [
            *model._meta.fields,
            *model._meta.many_to_many,
        ]:  # named here, for a name given by the model is a migration
            # Django's own are made of the field's name, ours are translated; a stored amount says its unit here
            if isinstance(field.verbose_name, str) or field.name.endswith("_minor"):
                field.verbose_name = column_words.WORDS.get(field.name, field.verbose_name)
        if model.__str__ is models.Model.__str__:  # "Review object (38)" is said in no language
            model.__str__ = _kind_and_number  # type: ignore[method-assign, assignment]
        for field in model._meta.fields:
            if field.name in self.says:
                setattr(self, f"{field.name}_in_words", _worded(field, self.says[field.name]))
        json_fields = [one for one in model._meta.fields if isinstance(one, models.JSONField)]
        self.json = {field.name for field in json_fields} - self.says.keys()
        for field in json_fields:
            setattr(self, f"{field.name}_indented", _indented(field))

    def _shown(self, name: Any) -> Any:
        return f"{name}_in_words" if name in self.says else name

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._shown(name) for name in self.list_display]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [(name, SaidOrNot) if name in self.says else name for name in self.list_filter]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = [self._shown(name) for name in super().get_fields(request, obj)]
        return [f"{name}_indented" if name in self.json else name for name in fields]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Named for its rows: there is nothing to select them for."""
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name))
        return super().change_view(request, object_id, form_url, {"title": title, **(extra_context or {})})

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
