"""Addresses of the sandbox's bank, under /sandbox/."""

from django.urls import path

from settlement.gateways import sandbox_pages

urlpatterns = [path("pay/<str:reference>/", sandbox_pages.pay, name="sandbox_pay")]
