"""Addresses of what the staff do with the catalogue, under /admin/desks/."""

from django.urls import path

from listings import entry_desk

urlpatterns = [
    path(
        "catalogue/entries/<slug:public_id>/withdrawal/",
        entry_desk.entry_withdrawal,
        name="desk_catalogue_entry_withdrawal",
    ),
]
