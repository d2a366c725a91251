
import marketplace.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0002_listed_product_has_an_approved_review'),
    ]

    operations = [
        migrations.AlterField(
            model_name='decision',
            name='proposed_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='hold',
            name='placed_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='review',
            name='opened_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='rulesacceptance',
            name='accepted_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='verification',
            name='applied_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='verification',
            name='changed_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
    ]
