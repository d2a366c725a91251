import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('settlement', '0009_three_books'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='transfer',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['at'], name='transfers_of_a_day'),
        ),
    ]
