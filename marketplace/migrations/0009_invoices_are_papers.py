"""Invoices and credit notes are papers."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('marketplace', '0008_old_webhook_messages_are_forgotten'),
    ]

    operations = [
        migrations.AlterField(
            model_name='paper',
            name='kind',
            field=models.CharField(choices=[('registration_certificate', 'Registration certificate'), ('listing_certificate', 'Listing certificate'), ('trade_contract', 'Trade contract'), ('delivery_record', 'Delivery record'), ('acceptance', 'Acceptance'), ('settlement_statement', 'Settlement statement'), ('trade_certificate', 'Trade certificate'), ('invoice', 'Invoice record'), ('credit_note', 'Credit note')], max_length=30),
        ),
    ]
