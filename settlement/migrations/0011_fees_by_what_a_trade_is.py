"""A fee schedule is for some trades and some time, and two of the staff agree on it."""

import django.db.models.deletion
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0010_transfers_of_a_day'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='feeschedule',
                name='never_updated',
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='asked_at',
                field=models.DateTimeField(default=marketplace.clock.now),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='asked_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='confirmed_at',
                field=models.DateTimeField(blank=True, null=True),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='confirmed_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='currency',
                field=models.CharField(blank=True, default='', max_length=3),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='dropped_at',
                field=models.DateTimeField(blank=True, null=True),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='dropped_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='least_minor',
                field=models.BigIntegerField(blank=True, null=True),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='most_minor',
                field=models.BigIntegerField(blank=True, null=True),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='product_type',
                field=models.CharField(blank=True, choices=[('dataset', 'Dataset'), ('api', 'Data API'), ('report', 'Data report'), ('model', 'Model'), ('service', 'Data service')], default='', max_length=10),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='reason',
                field=models.TextField(blank=True, default=''),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='region',
                field=models.CharField(blank=True, default='', max_length=20),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='tier',
                field=models.CharField(blank=True, default='', max_length=20),
            ),
            migrations.AddField(
                model_name='feeschedule',
                name='valid_until',
                field=models.DateTimeField(blank=True, null=True),
            ),
            migrations.AlterField(
                model_name='feeschedule',
                name='valid_from',
                field=models.DateTimeField(),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeschedule',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."seller_basis_points" IS DISTINCT FROM (NEW."seller_basis_points") OR OLD."least_minor" IS DISTINCT FROM (NEW."least_minor") OR OLD."most_minor" IS DISTINCT FROM (NEW."most_minor") OR OLD."product_type" IS DISTINCT FROM (NEW."product_type") OR OLD."region" IS DISTINCT FROM (NEW."region") OR OLD."tier" IS DISTINCT FROM (NEW."tier") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."valid_from" IS DISTINCT FROM (NEW."valid_from") OR OLD."valid_until" IS DISTINCT FROM (NEW."valid_until") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='cf580d062428c982800db3ee7d467209ab4dc167', operation='UPDATE', pgid='pgtrigger_facts_never_change_e3a9f', table='settlement_feeschedule', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeschedule',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."confirmed_at" IS NOT NULL OR OLD."dropped_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6b3b0b8455974a9c944ff39e87a0b3a1fee2be90', operation='UPDATE', pgid='pgtrigger_decided_once_40d63', table='settlement_feeschedule', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='fee_schedule_is_agreed_and_in_its_currency', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM settlement_feeschedule f WHERE f.id = NEW.fee_schedule_id\n                        AND f.currency IN ('', NEW.currency) AND (f.asked_by_id IS NULL OR f.confirmed_at IS NOT NULL)\n                        AND f.valid_from <= NEW.proposed_at\n                        AND (f.valid_until IS NULL OR f.valid_until > NEW.proposed_at)\n                    ) THEN\n                        RAISE 'no such fee schedule is in force for a trade in %', NEW.currency\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='9f1bf5eb611113101eabec57a490078ae7a9d546', operation='INSERT', pgid='pgtrigger_fee_schedule_is_agreed_and_in_its_currency_da3a0', table='settlement_trade', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('least_minor', None), ('most_minor', None)), models.Q(('currency', ''), _negated=True), _connector='OR'), name='fee_limits_are_in_a_currency'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('least_minor', None), ('least_minor__gte', 0), _connector='OR'), models.Q(('most_minor', None), ('most_minor__gte', 0), _connector='OR'), models.Q(('least_minor', None), ('most_minor', None), ('least_minor__lte', models.F('most_minor')), _connector='OR')), name='least_fee_is_at_most_the_most'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='fee_schedule_ends_after_it_begins'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('product_type', ''), ('region', ''), ('tier', ''), _negated=True), ('valid_until', None), _connector='OR'), name='fee_schedule_for_every_trade_has_no_end'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(('asked_by', None), models.Q(('reason', ''), _negated=True), _connector='OR'), name='fee_schedule_is_asked_for_with_a_reason'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), ('confirmed_by__isnull', False)), _connector='OR'), name='confirmed_fee_schedule_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('dropped_at__isnull', True), ('dropped_by__isnull', True)), models.Q(('dropped_at__isnull', False), ('dropped_by__isnull', False)), _connector='OR'), name='dropped_fee_schedule_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(('confirmed_by', None), models.Q(('asked_by__isnull', False), models.Q(('confirmed_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='fee_schedule_takes_two_people'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('dropped_at', None), _connector='OR'), name='fee_schedule_is_confirmed_or_dropped'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('confirmed_at__lt', models.F('valid_from')), _connector='OR'), name='fee_schedule_is_confirmed_before_it_begins'),
            ),
            migrations.AddConstraint(
                model_name='feeschedule',
                constraint=models.UniqueConstraint(condition=models.Q(('dropped_at', None)), fields=('valid_from', 'product_type', 'region', 'tier', 'currency'), name='one_fee_schedule_for_the_same_trades_begins_at_a_time'),
            ),
        ]),
    ]
