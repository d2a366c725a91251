import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0005_second_person_for_payout_accounts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='trade',
            name='facts_never_change',
        ),
        migrations.AddField(
            model_name='agreement',
            name='buyer_agreed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='agreement',
            name='seller_agreed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='agreement',
            name='text_digest',
            field=models.CharField(blank=True, default='', max_length=80),
        ),
        migrations.AddField(
            model_name='trade',
            name='contract_version',
            field=models.CharField(blank=True, default='', max_length=10, verbose_name='licence contract'),
        ),
        migrations.AddField(
            model_name='trade',
            name='jurisdiction',
            field=models.CharField(default='seat', max_length=20, verbose_name='governing law and forum'),
        ),
        migrations.AddField(
            model_name='trade',
            name='text_digest',
            field=models.CharField(blank=True, default='', max_length=80),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='agreement',
            trigger=pgtrigger.compiler.Trigger(name='agreed_text_is_that_of_the_trade', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.text_digest <> (SELECT text_digest FROM settlement_trade WHERE id = NEW.trade_id) THEN\n                        RAISE 'trade % has another text', NEW.trade_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='ebb1fc98ffcae9a5941c8dcac8b7f1e663c81616', operation='INSERT', pgid='pgtrigger_agreed_text_is_that_of_the_trade_f0336', table='settlement_agreement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trade',
            trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."offer_id" IS DISTINCT FROM (NEW."offer_id") OR OLD."listing_id" IS DISTINCT FROM (NEW."listing_id") OR OLD."version_id" IS DISTINCT FROM (NEW."version_id") OR OLD."release_id" IS DISTINCT FROM (NEW."release_id") OR OLD."seller_id" IS DISTINCT FROM (NEW."seller_id") OR OLD."buyer_id" IS DISTINCT FROM (NEW."buyer_id") OR OLD."price_minor" IS DISTINCT FROM (NEW."price_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."terms" IS DISTINCT FROM (NEW."terms") OR OLD."contract_version" IS DISTINCT FROM (NEW."contract_version") OR OLD."jurisdiction" IS DISTINCT FROM (NEW."jurisdiction") OR OLD."text_digest" IS DISTINCT FROM (NEW."text_digest") OR OLD."fee_schedule_id" IS DISTINCT FROM (NEW."fee_schedule_id") OR OLD."crossborder" IS DISTINCT FROM (NEW."crossborder") OR OLD."inspection_days" IS DISTINCT FROM (NEW."inspection_days") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='937cfbf6b022d6b7522882417cdf322f9c36f0ba', operation='UPDATE', pgid='pgtrigger_facts_never_change_6f739', table='settlement_trade', when='BEFORE')),
        ),
        AddConstraintNotValid(
            model_name='agreement',
            constraint=models.CheckConstraint(condition=models.Q(('text_digest', ''), models.Q(('buyer_agreed_at__isnull', False), ('seller_agreed_at__isnull', False)), _connector='OR'), name='agreed_text_says_when_each_agreed'),
        ),
    ]
