"""Addresses of papers: the public check, and what their readers have."""

from django.urls import path

from marketplace import verify_views as views

urlpatterns = [
    path("verify/", views.verify, name="verify"),
    path("verify/<str:number>/", views.verify_paper, name="verify_paper"),
    path("verify/<str:number>/<str:language>.pdf", views.verify_pdf, name="verify_pdf"),
    path("verify/<str:number>/record.json", views.verify_record, name="verify_record"),
    path("papers/", views.papers, name="papers"),
    path("papers/<str:number>/", views.paper, name="paper"),
    path("papers/<str:number>/<str:language>.pdf", views.paper_pdf, name="paper_pdf"),
    path("papers/<str:number>/record.json", views.paper_record, name="paper_record"),
]
