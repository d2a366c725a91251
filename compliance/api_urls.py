"""Addresses of the API of compliance."""

from django.urls import path

from compliance import api, dossier_api, facts_staff_api, joint_api, proofs_api, review_staff_api, staff_api

urlpatterns = [
    path("rules", api.Rules.as_view()),
    path("reasons", api.Reasons.as_view()),
    path("organisations/<str:public_id>/application", api.Application.as_view()),
    path("organisations/<str:public_id>/correction", api.Correction.as_view()),
    path("organisations/<str:public_id>/dossier", dossier_api.Dossier.as_view()),
    path("organisations/<str:public_id>/dossier/<slug:section>", dossier_api.DossierSectionSaving.as_view()),
    path("organisations/<str:public_id>/declarations", dossier_api.Declarations.as_view()),
    path(
        "organisations/<str:public_id>/changes/<int:change_id>/withdrawal",
        dossier_api.FactChangeWithdrawal.as_view(),
    ),
    path("organisations/<str:public_id>/joint-members", joint_api.JointMembers.as_view()),
    path("organisations/<str:public_id>/joint-members/<int:row_id>/consent", joint_api.JointConsent.as_view()),
    path("organisations/<str:public_id>/joint-members/<int:row_id>/withdrawal", joint_api.JointWithdrawal.as_view()),
    path("organisations/<str:public_id>/papers", proofs_api.Proofs.as_view()),
    path("organisations/<str:public_id>/papers/<int:proof_id>/file", proofs_api.ProofFile.as_view()),
    path("organisations/<str:public_id>/papers/<int:proof_id>/withdrawal", proofs_api.ProofWithdrawal.as_view()),
    path("fact-changes", facts_staff_api.FactChanges.as_view()),
    path("fact-changes/<int:change_id>/confirmation", facts_staff_api.FactChangeConfirmation.as_view()),
    path("fact-changes/<int:change_id>/refusal", facts_staff_api.FactChangeRefusal.as_view()),
    path("listings/<str:public_id>/versions/<int:number>/submission", api.Submission.as_view()),
    path("listings/<str:public_id>/versions/<int:number>/review", api.OwnReview.as_view()),
    path("listings/<str:public_id>/versions/<int:number>/taking-back", api.TakingBack.as_view()),
    path(
        "listings/<str:public_id>/versions/<int:number>/questions/<int:question_id>/answer",
        api.QuestionAnswer.as_view(),
    ),
    path("verifications", staff_api.Verifications.as_view()),
    path("verifications/<str:public_id>", staff_api.OneVerification.as_view()),
    path("verifications/<str:public_id>/decisions", staff_api.Decisions.as_view()),
    path("decisions/<int:decision_id>/confirmation", staff_api.DecisionConfirmation.as_view()),
    path("decisions/<int:decision_id>/dropping", staff_api.DecisionDropping.as_view()),
    path("reviews", review_staff_api.Reviews.as_view()),
    path("reviews/<int:review_id>", review_staff_api.OneReview.as_view()),
    path("reviews/<int:review_id>/assignment", review_staff_api.ReviewAssignment.as_view()),
    path("reviews/<int:review_id>/approval", review_staff_api.ReviewApproval.as_view()),
    path("reviews/<int:review_id>/change-request", review_staff_api.ReviewChangeRequest.as_view()),
    path("reviews/<int:review_id>/refusal", review_staff_api.ReviewRefusal.as_view()),
    path("reviews/<int:review_id>/questions", review_staff_api.ReviewQuestions.as_view()),
    path(
        "reviews/<int:review_id>/questions/<int:question_id>/withdrawal",
        review_staff_api.QuestionWithdrawal.as_view(),
    ),
    path("reviews/<int:review_id>/notes", review_staff_api.ReviewNotes.as_view()),
    path("holds", staff_api.Holds.as_view()),
    path("holds/<int:hold_id>/lifting", staff_api.HoldLifting.as_view()),
]
