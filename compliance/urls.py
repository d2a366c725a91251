"""Addresses of the pages of compliance."""

from django.urls import path

from compliance import demand_views, dossier_views, joint_views, manual_editor, proof_views, views

urlpatterns = [
    path("apply/", dossier_views.apply, name="apply"),
    path("apply/sections/<slug:section>/", dossier_views.save_section, name="save_section"),
    path("apply/declaration/", dossier_views.declare, name="declare"),
    path("organisation/facts/", dossier_views.facts, name="facts"),
    path("organisation/changes/<int:change_id>/withdrawal/", dossier_views.withdraw_change, name="withdraw_change"),
    path("organisation/", views.organisation, name="organisation"),
    path("organisation/joint/", joint_views.members, name="joint_members"),
    path("organisation/joint/<int:row_id>/consent/", joint_views.consent, name="joint_consent"),
    path("organisation/joint/<int:row_id>/withdrawal/", joint_views.withdrawal, name="joint_withdrawal"),
    path("organisation/papers/", proof_views.papers, name="organisation_papers"),
    path("organisation/papers/<int:proof_id>/withdrawal/", proof_views.withdrawal, name="withdraw_paper"),
    path("organisation/papers/<int:proof_id>/file/", proof_views.file, name="organisation_paper_file"),
    path(
        "organisation/papers/<int:proof_id>/pages/<int:page>.png",
        proof_views.picture,
        name="organisation_paper_picture",
    ),
    path("demands/", demand_views.demands_list, name="demands"),
    path("demands/new/", demand_views.new_demand, name="new_demand"),
    path("demands/<slug:public_id>/", demand_views.demand, name="demand"),
    path("demands/<slug:public_id>/answers/", demand_views.new_answer, name="demand_answer"),
    path(
        "demands/<slug:public_id>/answers/<int:answer_id>/<slug:act>/",
        demand_views.answer_act,
        name="demand_answer_act",
    ),
    path("demands/<slug:public_id>/<slug:act>/", demand_views.demand_act, name="demand_act"),
    path("rules/", views.rules, name="rules"),
    path("rules/<str:version>/", views.rules, name="rules_version"),
    path("studio/<slug:public_id>/versions/<int:number>/", manual_editor.version, name="studio_version"),
    path("studio/<slug:public_id>/versions/<int:number>/preview/", manual_editor.preview, name="studio_preview"),
    path("studio/<str:public_id>/versions/<int:number>/submission/", views.submission, name="submit_version"),
    path("studio/<str:public_id>/versions/<int:number>/taking-back/", views.taking_back, name="take_version_back"),
    path(
        "studio/<str:public_id>/versions/<int:number>/questions/<int:question_id>/answer/",
        views.question_answer,
        name="answer_question",
    ),
]
