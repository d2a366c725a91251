
import marketplace.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listings', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='listing',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='offer',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='profile',
            name='next_try_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='registration',
            name='registered_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='release',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='releasefile',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='upload',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='version',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
    ]
