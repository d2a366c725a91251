"""Addresses of the pages of compliance."""

from django.urls import path

from compliance import views

urlpatterns = [
    path("apply/", views.apply, name="apply"),
    path("organisation/", views.organisation, name="organisation"),
    path("rules/", views.rules, name="rules"),
    path("rules/<str:version>/", views.rules, name="rules_version"),
    path("studio/<str:public_id>/versions/<int:number>/submission/", views.submission, name="submit_version"),
    path("studio/<str:public_id>/versions/<int:number>/taking-back/", views.taking_back, name="take_version_back"),
    path(
        "studio/<str:public_id>/versions/<int:number>/questions/<int:question_id>/answer/",
        views.question_answer,
        name="answer_question",
    ),
]
