"""Quotes are papers."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('marketplace', '0010_announcements_are_of_known_kinds'),
    ]

    operations = [
        migrations.AlterField(
            model_name='paper',
            name='kind',
            field=models.CharField(choices=[('registration_certificate', 'Registration certificate'), ('listing_certificate', 'Listing certificate'), ('trade_contract', 'Trade contract'), ('delivery_record', 'Delivery record'), ('acceptance', 'Acceptance'), ('settlement_statement', 'Settlement statement'), ('trade_certificate', 'Trade certificate'), ('invoice', 'Invoice record'), ('credit_note', 'Credit note'), ('quote', 'Quote')], max_length=30),
        ),
    ]
