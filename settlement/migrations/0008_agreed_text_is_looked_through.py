from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """What stood before the constraint is looked through without a lock that stops writers."""

    dependencies = [
        ('settlement', '0007_refunds_to_another_account_take_two'),
    ]

    operations = [
        ValidateConstraint(model_name='agreement', name='agreed_text_says_when_each_agreed'),
    ]
