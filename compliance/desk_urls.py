"""Addresses of the desks of organisations and of reviews, under /admin/desks/."""

from django.urls import path

from compliance import demand_desk, organisation_desk, proof_desk, review_desk, review_queue_desk

urlpatterns = [
    path("organisations/", organisation_desk.organisations, name="desk_organisations"),
    path("organisations/<str:public_id>/", organisation_desk.organisation, name="desk_organisation"),
    path("organisations/<str:public_id>/act/", organisation_desk.organisation_act, name="desk_organisation_act"),
    path("demands/", demand_desk.demands_list, name="desk_demands"),
    path("demands/<slug:public_id>/", demand_desk.demand, name="desk_demand"),
    path("demands/<slug:public_id>/act/", demand_desk.demand_act, name="desk_demand_act"),
    path("reviews/", review_queue_desk.review_queue, name="desk_reviews"),
    path("expiring-papers/", proof_desk.expiring, name="desk_expiring_papers"),
    path(
        "organisations/<str:public_id>/papers/<int:proof_id>/file/",
        proof_desk.file,
        name="desk_organisation_paper_file",
    ),
    path(
        "organisations/<str:public_id>/papers/<int:proof_id>/pages/<int:page>.png",
        proof_desk.picture,
        name="desk_organisation_paper_picture",
    ),
    path("reviews/<int:review_id>/", review_desk.review, name="desk_review"),
    path("reviews/<int:review_id>/act/", review_desk.review_act, name="desk_review_act"),
]
