"""Addresses of the register, of what belongs to one product, and of the studio."""

from django.urls import path

from listings import (
    discount_views,
    question_views,
    register_views,
    report_views,
    sample_views,
    saved_search_views,
    studio,
    views,
)

PRODUCT = "studio/<slug:public_id>/"
RELEASE = PRODUCT + "releases/<int:release_id>/"

urlpatterns = [
    path("catalogue/entries/<slug:public_id>/", views.entry, name="catalogue_entry"),
    path("searches/", saved_search_views.searches_list, name="saved_searches"),
    path("searches/new/", saved_search_views.new_search, name="new_saved_search"),
    path("searches/stop/<str:token>/", saved_search_views.stop, name="saved_search_stop"),
    path("searches/<int:search_id>/<slug:act>/", saved_search_views.search_act, name="saved_search_act"),
    path("offers/<slug:public_id>/contract/", views.offer_contract, name="offer_contract"),
    path("register/", register_views.entries, name="register"),
    path("register/<str:number>/", register_views.entry, name="register_entry"),
    path("register/<str:number>/objections/", register_views.objection, name="register_objection"),
    path("products/<slug:public_id>/samples/<int:number>.csv", sample_views.sample, name="product_sample"),
    path("products/<slug:public_id>/dictionary.csv", sample_views.dictionary, name="product_dictionary"),
    path("products/<slug:public_id>/report/", report_views.report, name="product_report"),
    path("products/<slug:public_id>/questions/", question_views.questions_list, name="product_questions"),
    path("products/<slug:public_id>/questions/new/", question_views.new_question, name="product_question"),
    path(
        "products/<slug:public_id>/questions/<int:question_id>/answers/",
        question_views.new_answer,
        name="product_answer",
    ),
    path(PRODUCT, studio.product, name="studio_product"),
    path(PRODUCT + "withdrawal/", studio.withdrawal, name="studio_withdrawal"),
    path(PRODUCT + "sample/", sample_views.publication, name="studio_sample"),
    path(PRODUCT + "sample/withdrawal/", sample_views.withdrawal, name="studio_sample_withdrawal"),
    path(PRODUCT + "versions/", studio.new_draft, name="studio_draft"),
    path(PRODUCT + "releases/", studio.new_release, name="studio_releases"),
    path(RELEASE, studio.release, name="studio_release"),
    path(RELEASE + "files/", studio.files, name="studio_files"),
    path(RELEASE + "progress/", studio.progress, name="studio_release_progress"),
    path(RELEASE + "seal/", studio.seal, name="studio_seal"),
    path(RELEASE + "uploads/<slug:upload_id>/cancellation/", studio.upload_cancellation, name="studio_upload_cancel"),
    path(PRODUCT + "offers/new/", studio.new_offer, name="studio_offer"),
    path(PRODUCT + "offers/<slug:offer_id>/discounts/", discount_views.discounts_page, name="studio_discounts"),
    path(
        PRODUCT + "offers/<slug:offer_id>/discounts/<slug:discount_id>/ending/",
        discount_views.ending,
        name="studio_discount_ending",
    ),
    path(PRODUCT + "offers/<slug:offer_id>/closing/", studio.offer_closing, name="studio_offer_closing"),
]
