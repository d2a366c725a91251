import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listings', '0008_arrivals_and_quotas'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='offer',
            name='facts_never_change',
        ),
        migrations.AddField(
            model_name='offer',
            name='contract_version',
            field=models.CharField(blank=True, default='', max_length=10, verbose_name='licence contract'),
        ),
        migrations.AddField(
            model_name='offer',
            name='jurisdiction',
            field=models.CharField(default='seat', max_length=20, verbose_name='governing law and forum'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='offer',
            trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."listing_id" IS DISTINCT FROM (NEW."listing_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."price_minor" IS DISTINCT FROM (NEW."price_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."terms" IS DISTINCT FROM (NEW."terms") OR OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."inspection_days" IS DISTINCT FROM (NEW."inspection_days") OR OLD."jurisdiction" IS DISTINCT FROM (NEW."jurisdiction") OR OLD."contract_version" IS DISTINCT FROM (NEW."contract_version") OR OLD."audience" IS DISTINCT FROM (NEW."audience") OR OLD."licences_total" IS DISTINCT FROM (NEW."licences_total") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4746588574f3e316cee33fc29efe7733ba50d98e', operation='UPDATE', pgid='pgtrigger_facts_never_change_ca22c', table='listings_offer', when='BEFORE')),
        ),
    ]
