"""Addresses of the pages that span the apps."""

from django.urls import path

from marketplace.desks import compare, participant_desk, shelf
from marketplace.desks.decisions import decisions
from marketplace.desks.home import home
from marketplace.desks.staff_home import staff_home
from marketplace.desks.staff_search import staff_search
from marketplace.desks.studio_home import studio
from marketplace.desks.studio_numbers import numbers, numbers_csv
from marketplace.desks.studio_requests import requests

PARTICIPANTS = "admin/desks/participants/"

urlpatterns = [
    path("", home, name="home"),
    path("catalogue/", shelf.browse, name="catalogue"),
    path("products/<slug:public_id>/", shelf.product, name="product"),
    path("compare/", compare.compare, name="compare"),
    path("compare/changes/", compare.change, name="compare_change"),
    path("studio/", studio, name="studio"),
    path("studio/numbers/", numbers, name="studio_numbers"),
    path("studio/numbers/<slug:what>.csv", numbers_csv, name="studio_numbers_csv"),
    path("studio/requests/", requests, name="studio_requests"),
    path("studio/<slug:public_id>/numbers/", numbers, name="studio_product_numbers"),
    path("studio/<slug:public_id>/numbers/<slug:what>.csv", numbers_csv, name="studio_product_numbers_csv"),
    path("admin/", staff_home, name="desk"),
    path("admin/desks/decisions/", decisions, name="desk_decisions"),
    path("admin/desks/search/", staff_search, name="desk_search"),
    path(PARTICIPANTS, participant_desk.participants, name="desk_participants"),
    path(f"{PARTICIPANTS}<str:public_id>/", participant_desk.participant, name="desk_participant"),
    path(f"{PARTICIPANTS}<str:public_id>/note/", participant_desk.note, name="desk_participant_note"),
    path(
        f"{PARTICIPANTS}<str:public_id>/<slug:name>/",
        participant_desk.participant_list,
        name="desk_participant_list",
    ),
]
