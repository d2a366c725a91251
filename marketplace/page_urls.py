"""Addresses of the members' pages."""

from django.urls import include, path

from marketplace import announcement_views, health_views, metrics_views, notification_views, views, webhook_views
from marketplace.design import design

urlpatterns = [
    path("act-for/", views.act_for, name="act_for"),
    path("members/", views.members, name="members"),
    path("members/<int:membership_id>/role/", views.member_role, name="member_role"),
    path("members/<int:membership_id>/departure/", views.member_departure, name="member_departure"),
    path("invitations/<int:invitation_id>/withdrawal/", views.invitation_withdrawal, name="invitation_withdrawal"),
    path("join/<str:secret>/", views.join, name="join"),
    path("tokens/", views.token_list, name="tokens"),
    path("tokens/<int:token_id>/revocation/", views.token_revocation, name="token_revocation"),
    path("notifications/", notification_views.notification_list, name="notifications"),
    path("notifications/reading/", notification_views.notifications_reading, name="notifications_reading"),
    path("notifications/settings/", notification_views.notification_settings, name="notification_settings"),
    path(
        "notifications/<int:notification_id>/reading/",
        notification_views.notification_reading,
        name="notification_reading",
    ),
    path("webhooks/", webhook_views.webhook_list, name="webhooks"),
    path("webhooks/<int:endpoint_id>/", webhook_views.webhook, name="webhook"),
    path("webhooks/<int:endpoint_id>/<slug:act>/", webhook_views.webhook_act, name="webhook_act"),
    path(
        "webhooks/<int:endpoint_id>/deliveries/<int:delivery_id>/replay/",
        webhook_views.webhook_replay,
        name="webhook_replay",
    ),
    path("announcements/", announcement_views.announcement_list, name="announcements"),
    path("announcements/<str:public_id>/dismissal/", announcement_views.dismissal, name="announcement_dismissal"),
    path("letters/", views.letter_list, name="letters"),
    path("design/", design, name="design"),
    path("", include("marketplace.verify_urls")),
    path("healthz", health_views.healthz),
    path("readyz", health_views.readyz),
    path("metrics", metrics_views.figures),
]
