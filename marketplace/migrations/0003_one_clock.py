
import marketplace.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('marketplace', '0002_queue_of_unsealed'),
    ]

    operations = [
        migrations.AlterField(
            model_name='accesstoken',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='event',
            name='at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='follower',
            name='next_try_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='invitation',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='keyedcommand',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='membership',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='organisation',
            name='created_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='paper',
            name='issued_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='revocation',
            name='asked_at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='treehead',
            name='at',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
        migrations.AlterField(
            model_name='user',
            name='date_joined',
            field=models.DateTimeField(default=marketplace.clock.now),
        ),
    ]
