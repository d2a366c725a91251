"""manage.py reindex_catalogue: put everything on the catalogue's shelf anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from listings import shelf
from listings.models import CatalogueEntry, CatalogueWord, Listing

AT_ONCE = 500


class Command(BaseCommand):
    help = (
        "Make the catalogue's search anew from products and entries, for example after an upgrade that changed how "
        "words are cut. It may run while the exchange is open, and be cut off and repeated."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        CatalogueWord.objects.all().delete()
        products = entries = last = 0
        listings = Listing.objects.filter(current_version__isnull=False).select_related("seller", "current_version")
        while found := list(listings.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
            with transaction.atomic():
                shelf.index(*found)
            products, last = products + len(found), found[-1].pk
        last = 0
        while batch := list(CatalogueEntry.objects.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
            with transaction.atomic():
                shelf.put_entries({entry.pk: shelf.words_of(entry) for entry in batch})
            entries, last = entries + len(batch), batch[-1].pk
        self.stdout.write(f"{products} products and {entries} entries.")
