from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("settlement", "0038_payouts_are_judged_together")]

    operations = [ValidateConstraint("trade", "buyer_fee_is_between_nothing_and_the_price")]
