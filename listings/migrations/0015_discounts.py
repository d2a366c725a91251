"""Discounts on offers, one of an offer at a time; the shelf knows until when its prices hold."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.comparison
import marketplace.clock
import marketplace.models
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    safe_because = "it comes before the first release, and the new index is of no row yet"

    dependencies = [
        ('listings', '0014_free_trials'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='Discount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=marketplace.models.new_public_id, editable=False, max_length=20, unique=True)),
                    ('percent', models.PositiveSmallIntegerField()),
                    ('valid_from', models.DateTimeField()),
                    ('valid_until', models.DateTimeField()),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('offer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='discounts', to='listings.offer')),
                ],
                options={
                    'verbose_name': 'discount',
                    'verbose_name_plural': 'discounts',
                    'ordering': ['-valid_from', '-pk'],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('percent__gte', 1), ('percent__lte', 99)), name='discount_leaves_a_price'),
                        models.CheckConstraint(condition=models.Q(('valid_until__gt', models.F('valid_from'))), name='discount_is_for_some_time'),
                        models.CheckConstraint(condition=models.Q(('valid_from__gte', models.F('created_at'))), name='discount_begins_no_earlier_than_it_is_made'),
                        models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='ended_discount_says_by_whom'),
                        django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('offer'), models.F('offer'), models.Value('[]'), function='int8range'), '&&'), (models.Func(models.F('valid_from'), django.db.models.functions.comparison.Greatest('valid_from', django.db.models.functions.comparison.Least('valid_until', 'ended_at')), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='one_discount_of_an_offer_at_a_time'),
                    ],
                },
            ),
            migrations.AddField(
                model_name='shelfitem',
                name='priced_until',
                field=models.DateTimeField(null=True),
            ),
            migrations.AddIndex(
                model_name='shelfitem',
                index=models.Index(condition=models.Q(('priced_until__isnull', False)), fields=['priced_until'], name='shelf_to_reprice'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='discount',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."offer_id" IS DISTINCT FROM (NEW."offer_id") OR OLD."percent" IS DISTINCT FROM (NEW."percent") OR OLD."valid_from" IS DISTINCT FROM (NEW."valid_from") OR OLD."valid_until" IS DISTINCT FROM (NEW."valid_until") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3f4795f1bdc5aee6381608c0489ea86a842aaeea', operation='UPDATE', pgid='pgtrigger_facts_never_change_11420', table='listings_discount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='discount',
                trigger=pgtrigger.compiler.Trigger(name='discount_is_ended_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."ended_at" IS DISTINCT FROM (NEW."ended_at") OR OLD."ended_by_id" IS DISTINCT FROM (NEW."ended_by_id"))', func="\n                    IF OLD.ended_at IS NOT NULL OR NEW.ended_at >= NEW.valid_until THEN\n                        RAISE 'discount % is over', OLD.public_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='510ee078b067d343f00fe8e462e0ca7a14c920f6', operation='UPDATE', pgid='pgtrigger_discount_is_ended_once_5c01f', table='listings_discount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='discount',
                trigger=pgtrigger.compiler.Trigger(name='discount_is_of_an_open_offer_that_costs_money', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM listings_offer o\n                        WHERE o.id = NEW.offer_id AND o.price_minor > 0 AND o.closed_at IS NULL\n                    ) THEN\n                        RAISE 'offer % takes no discount', NEW.offer_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='904035a98070fc816f22ca6ff5ae5894469aa8e5', operation='INSERT', pgid='pgtrigger_discount_is_of_an_open_offer_that_costs_money_a8171', table='listings_discount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='discount',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='131e7f5a2cc92a0ad21f93e98981c9c0559a4518', operation='DELETE', pgid='pgtrigger_never_deleted_695eb', table='listings_discount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='discount',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='b387d3c221a6f608566b2bcf62c5916bc9ea0039', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_e5477', table='listings_discount', when='BEFORE')),
            ),
        ]),
    ]
