"""Addresses of the desks of papers and of stuck work, under /admin/desks/."""

from django.urls import path

from marketplace import announcement_desk, paper_desk, stuck_desk

urlpatterns = [
    path("papers/", paper_desk.papers, name="desk_papers"),
    path("papers/<str:number>/", paper_desk.paper, name="desk_paper"),
    path("papers/<str:number>/act/", paper_desk.paper_act, name="desk_paper_act"),
    path("announcements/", announcement_desk.announcements_desk, name="desk_announcements"),
    path(
        "announcements/<str:public_id>/withdrawal/", announcement_desk.withdrawal, name="desk_announcement_withdrawal"
    ),
    path("stuck/", stuck_desk.stuck, name="desk_stuck"),
    path("stuck/act/", stuck_desk.stuck_act, name="desk_stuck_act"),
]
