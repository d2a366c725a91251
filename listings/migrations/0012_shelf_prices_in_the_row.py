from django.db import migrations

# The row is kept short by putting its words beside it; its prices and channels went there too, and were fetched from
# there one by one whenever a filter asked for them. Rows written from now on hold them; `reindex_catalogue` brings
# the older ones.
SET = "ALTER TABLE listings_shelfitem ALTER COLUMN prices SET STORAGE {0}, ALTER COLUMN channels SET STORAGE {0}"


class Migration(migrations.Migration):

    dependencies = [
        ('listings', '0011_shelf_kinds'),
    ]

    operations = [migrations.RunSQL(SET.format("MAIN"), SET.format("EXTENDED"))]
