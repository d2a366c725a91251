"""Addresses of the API of listings, under /api/v1/."""

from django.urls import path

from listings import (
    api,
    catalogue_api,
    discounts_api,
    questions_api,
    quotas_api,
    register_api,
    reports_api,
    samples_api,
    saved_searches_api,
    uploads_api,
)

urlpatterns = [
    path("catalogue", catalogue_api.Catalogue.as_view(), name="api_catalogue"),
    path("catalogue/entries/<slug:public_id>", catalogue_api.OneEntry.as_view(), name="api_catalogue_entry"),
    path("compare", catalogue_api.Comparison.as_view(), name="api_compare"),
    path("register", register_api.Register.as_view(), name="api_register"),
    path("register/<str:number>", register_api.OneEntry.as_view(), name="api_register_entry"),
    path("register/<str:number>/objections", register_api.Objections.as_view(), name="api_register_objections"),
    path("products/<slug:public_id>", catalogue_api.OneProduct.as_view(), name="api_product"),
    path("products/<slug:public_id>/reports", reports_api.ListingReports.as_view(), name="api_product_reports"),
    path("products/<slug:public_id>/questions", questions_api.Questions.as_view(), name="api_product_questions"),
    path(
        "products/<slug:public_id>/questions/<int:question_id>/answers",
        questions_api.Answers.as_view(),
        name="api_product_answers",
    ),
    path("listings", api.Listings.as_view(), name="api_listings"),
    path("listings/<slug:public_id>", api.OneListing.as_view(), name="api_listing"),
    path("listings/<slug:public_id>/withdrawal", api.ListingWithdrawal.as_view(), name="api_listing_withdrawal"),
    path("listings/<slug:public_id>/suspension", api.ListingSuspension.as_view(), name="api_listing_suspension"),
    path("listings/<slug:public_id>/resumption", api.ListingResumption.as_view(), name="api_listing_resumption"),
    path("listings/<slug:public_id>/sample", samples_api.Sample.as_view(), name="api_sample"),
    path(
        "listings/<slug:public_id>/sample/withdrawal",
        samples_api.SampleWithdrawal.as_view(),
        name="api_sample_withdrawal",
    ),
    path("listings/<slug:public_id>/versions", api.Versions.as_view(), name="api_versions"),
    path("listings/<slug:public_id>/versions/<int:number>", api.OneVersion.as_view(), name="api_version"),
    path(
        "listings/<slug:public_id>/versions/<int:number>/dictionary",
        api.VersionDictionary.as_view(),
        name="api_version_dictionary",
    ),
    path("listings/<slug:public_id>/releases", api.Releases.as_view(), name="api_releases"),
    path("listings/<slug:public_id>/releases/<int:release_id>", api.OneRelease.as_view(), name="api_release"),
    path(
        "listings/<slug:public_id>/releases/<int:release_id>/seal", api.ReleaseSeal.as_view(), name="api_release_seal"
    ),
    path(
        "listings/<slug:public_id>/releases/<int:release_id>/profile",
        api.ReleaseProfile.as_view(),
        name="api_release_profile",
    ),
    path(
        "listings/<slug:public_id>/releases/<int:release_id>/uploads",
        uploads_api.Uploads.as_view(),
        name="api_release_uploads",
    ),
    path(
        "listings/<slug:public_id>/releases/<int:release_id>/files/<path:path>",
        uploads_api.WholeFile.as_view(),
        name="api_release_file",
    ),
    path("listings/<slug:public_id>/offers", api.Offers.as_view(), name="api_offers"),
    path("searches", saved_searches_api.SavedSearches.as_view(), name="api_saved_searches"),
    path("searches/<int:search_id>", saved_searches_api.OneSavedSearch.as_view(), name="api_saved_search"),
    path("searches/<int:search_id>/seen", saved_searches_api.SavedSearchSeen.as_view(), name="api_saved_search_seen"),
    path("offers/<slug:public_id>/discounts", discounts_api.Discounts.as_view(), name="api_discounts"),
    path("discounts/<slug:public_id>/ending", discounts_api.DiscountEnding.as_view(), name="api_discount_ending"),
    path("offers/<slug:public_id>/closing", api.OfferClosing.as_view(), name="api_offer_closing"),
    path("allowance", quotas_api.OwnAllowance.as_view(), name="api_allowance"),
    path("organisations/<str:public_id>/quota", quotas_api.OrganisationQuota.as_view(), name="api_organisation_quota"),
    path("uploads/<slug:public_id>/parts", uploads_api.UploadParts.as_view(), name="api_upload_parts"),
    path("uploads/<slug:public_id>/completion", uploads_api.UploadCompletion.as_view(), name="api_upload_completion"),
    path("uploads/<slug:public_id>", uploads_api.OneUpload.as_view(), name="api_upload"),
]
