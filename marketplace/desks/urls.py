"""Addresses of the pages that span the apps."""

from django.urls import path

from marketplace.desks.home import home
from marketplace.desks.staff_home import staff_home

urlpatterns = [
    path("", home, name="home"),
    path("admin/", staff_home, name="desk"),
]
