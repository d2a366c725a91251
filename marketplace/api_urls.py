"""Addresses of the API's ground: its description, members and tokens."""

from django.urls import path

from marketplace import api_docs, members_api, notifications_api, papers_api, stuck_api, tokens_api, webhooks_api

urlpatterns = [
    path("stuck", stuck_api.StuckWork.as_view()),
    path("stuck/attempt", stuck_api.StuckAttempt.as_view()),
    path("schema", api_docs.SchemaDocument.as_view(), name="api_schema"),
    path("docs", api_docs.docs, name="api_docs"),
    path("me", members_api.Me.as_view()),
    path("organisations", members_api.Organisations.as_view()),
    path("organisations/<str:public_id>", members_api.OneOrganisation.as_view()),
    path("organisations/<str:public_id>/members", members_api.Members.as_view()),
    path("organisations/<str:public_id>/members/<int:membership_id>/role", members_api.MemberRole.as_view()),
    path("organisations/<str:public_id>/members/<int:membership_id>/departure", members_api.MemberDeparture.as_view()),
    path("organisations/<str:public_id>/invitations", members_api.Invitations.as_view()),
    path(
        "organisations/<str:public_id>/invitations/<int:invitation_id>/withdrawal",
        members_api.InvitationWithdrawal.as_view(),
    ),
    path("invitations/acceptance", members_api.InvitationAcceptance.as_view()),
    path("tokens", tokens_api.Tokens.as_view()),
    path("tokens/<int:token_id>/revocation", tokens_api.TokenRevocation.as_view()),
    path("notifications", notifications_api.Notifications.as_view()),
    path("notifications/reading", notifications_api.NotificationsReading.as_view()),
    path("notifications/settings", notifications_api.NotificationSettings.as_view()),
    path("notifications/<int:notification_id>/reading", notifications_api.NotificationReading.as_view()),
    path("webhooks", webhooks_api.Webhooks.as_view()),
    path("webhook-events", webhooks_api.WebhookKinds.as_view()),
    path("webhooks/<int:webhook_id>", webhooks_api.OneWebhook.as_view()),
    path("webhooks/<int:webhook_id>/rotation", webhooks_api.WebhookRotation.as_view()),
    path("webhooks/<int:webhook_id>/test", webhooks_api.WebhookTest.as_view()),
    path("webhooks/<int:webhook_id>/removal", webhooks_api.WebhookRemoval.as_view()),
    path("webhooks/<int:webhook_id>/replays", webhooks_api.WebhookReplays.as_view()),
    path("webhooks/<int:webhook_id>/deliveries", webhooks_api.WebhookDeliveries.as_view()),
    path("webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/replay", webhooks_api.WebhookReplay.as_view()),
    path("papers", papers_api.Papers.as_view()),
    path("papers/<str:number>", papers_api.OnePaper.as_view()),
    path("papers/<str:number>/pdf", papers_api.PaperPdf.as_view()),
    path("papers/<str:number>/revocation", papers_api.PaperRevocation.as_view()),
    path("papers/<str:number>/revocation/confirmation", papers_api.PaperRevocationConfirmation.as_view()),
]
