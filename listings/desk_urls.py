"""Addresses of what the staff do with the catalogue, under /admin/desks/."""

from django.urls import path

from listings import entry_desk, objection_desk, question_desk, report_desk

urlpatterns = [
    path("objections/", objection_desk.objections_list, name="desk_objections"),
    path("objections/<int:objection_id>/", objection_desk.objection, name="desk_objection"),
    path("objections/<int:objection_id>/act/", objection_desk.objection_act, name="desk_objection_act"),
    path("reports/", report_desk.reports_list, name="desk_reports"),
    path("reports/<int:report_id>/", report_desk.report, name="desk_report"),
    path("reports/<int:report_id>/act/", report_desk.report_act, name="desk_report_act"),
    path("questions/", question_desk.questions_list, name="desk_questions"),
    path("questions/<int:question_id>/hiding/", question_desk.question_hiding, name="desk_question_hiding"),
    path(
        "catalogue/entries/<slug:public_id>/withdrawal/",
        entry_desk.entry_withdrawal,
        name="desk_catalogue_entry_withdrawal",
    ),
]
