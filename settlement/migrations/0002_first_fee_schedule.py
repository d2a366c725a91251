"""The fee schedule the exchange opens with: 2.5 % of the price, borne by the seller."""

import datetime as dt

from django.db import migrations


def open_with_a_schedule(apps, schema_editor):
    apps.get_model("settlement", "FeeSchedule").objects.create(
        version="2026-1", seller_basis_points=250, valid_from=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    )


class Migration(migrations.Migration):
    dependencies = [("settlement", "0001_initial")]
    operations = [migrations.RunPython(open_with_a_schedule, migrations.RunPython.noop)]
