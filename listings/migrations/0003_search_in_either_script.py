"""Index every product again, its Chinese in one script, so that a question in either finds it."""

from django.db import migrations


def index_again(apps, schema_editor):
    from listings import search_words

    for listing in (
        apps.get_model("listings", "Listing")
        .objects.filter(current_version__isnull=False)
        .select_related("current_version", "seller")
        .iterator(200)
    ):
        version, seller = listing.current_version, listing.seller
        fields = (f"{entry.get('name', '')} {entry.get('meaning', '')}" for entry in version.fields)
        sql, values = search_words.vector(
            [
                ("A", " ".join(version.titles.values())),
                ("B", f"{seller.name} {seller.latin_name} {version.coverage_area} {version.coverage_time}"),
                ("C", " ".join(version.summaries.values())),
                ("D", f"{version.use_scenarios} {' '.join(fields)}"),
            ]
        )
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(f"UPDATE listings_listing SET search = {sql} WHERE id = %s", [*values, listing.pk])


class Migration(migrations.Migration):
    dependencies = [("listings", "0002_one_clock")]
    operations = [migrations.RunPython(index_again, migrations.RunPython.noop)]
