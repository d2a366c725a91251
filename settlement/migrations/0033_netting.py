"""Netting: members who are paid one net sum for a cycle."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('marketplace', '0011_quotes_are_papers'),
        ('settlement', '0032_instalments'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='Netting',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('asked_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('opinion', models.TextField(blank=True, default='')),
                    ('granted_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.TextField(blank=True, default='')),
                    ('stopped_at', models.DateTimeField(blank=True, null=True)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('granted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='nettings', to='marketplace.organisation')),
                    ('stopped_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'netting',
                    'verbose_name_plural': 'nettings',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(models.Q(('granted_at__isnull', True), ('granted_by__isnull', True)), models.Q(('granted_at__isnull', False), ('granted_by__isnull', False)), _connector='OR'), name='granted_netting_says_by_whom'),
                        models.CheckConstraint(condition=models.Q(models.Q(('stopped_at__isnull', True), ('stopped_by__isnull', True)), models.Q(('stopped_at__isnull', False), ('stopped_by__isnull', False)), _connector='OR'), name='stopped_netting_says_by_whom'),
                        models.CheckConstraint(condition=models.Q(('granted_at', None), models.Q(('opinion', ''), _negated=True), _connector='OR'), name='netting_rests_on_an_opinion'),
                        models.CheckConstraint(condition=models.Q(('granted_by', None), models.Q(('granted_by', models.F('asked_by')), _negated=True), _connector='OR'), name='netting_takes_two_people'),
                        models.CheckConstraint(condition=models.Q(('granted_at', None), ('stopped_at', None), ('stopped_at__gte', models.F('granted_at')), _connector='OR'), name='netting_stops_after_it_begins'),
                        models.UniqueConstraint(condition=models.Q(('stopped_at', None)), fields=('organisation',), name='one_netting_of_a_member_at_a_time'),
                        django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('granted_at__isnull', False)), expressions=[(models.Func(models.F('organisation'), models.F('organisation'), models.Value('[]'), function='int8range'), '&&'), (models.Func(models.F('granted_at'), models.F('stopped_at'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='nettings_of_a_member_do_not_overlap'),
                    ],
                },
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='payout',
                name='due_with_its_cycle_or_again_as_it_was',
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='due_with_its_cycle_or_again_as_it_was', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.replaces_id IS NULL THEN\n                        IF EXISTS (\n                            SELECT FROM settlement_clearingcycle c WHERE c.id = NEW.cycle_id AND c.state = 'released'\n                        ) THEN\n                            RAISE 'cycle % was released with all its payouts', NEW.cycle_id\n                                USING ERRCODE = 'check_violation';\n                        END IF;\n                        IF NEW.kind = 'net' AND NOT EXISTS (\n                            SELECT FROM settlement_netting n JOIN settlement_clearingcycle c ON c.id = NEW.cycle_id\n                            WHERE n.organisation_id = NEW.organisation_id AND n.granted_at <= c.closed_at\n                            AND coalesce(n.stopped_at, 'infinity') > c.closed_at\n                        ) THEN\n                            RAISE 'no netting of member % was in force when cycle % closed', NEW.organisation_id,\n                                NEW.cycle_id USING ERRCODE = 'check_violation';\n                        END IF;\n                    ELSIF NOT EXISTS (\n                        SELECT FROM settlement_payout o WHERE o.id = NEW.replaces_id AND o.state = 'bounced'\n                        AND (o.cycle_id, o.organisation_id, o.currency, o.amount_minor, o.kind)\n                            = (NEW.cycle_id, NEW.organisation_id, NEW.currency, NEW.amount_minor, NEW.kind)\n                        AND o.trade_id IS NOT DISTINCT FROM NEW.trade_id\n                    ) THEN\n                        RAISE 'payout % is not what came back', NEW.key USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='77ff5d25fcd393db71e88dff4c94cbb783e6afda', operation='INSERT', pgid='pgtrigger_due_with_its_cycle_or_again_as_it_was_5c4d4', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='netting',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='692d469722db0b9eebc4aee10567f7619c8da57f', operation='UPDATE', pgid='pgtrigger_facts_never_change_f2f3e', table='settlement_netting', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='netting',
                trigger=pgtrigger.compiler.Trigger(name='asked_then_granted_to_a_domestic_member', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF TG_OP = 'INSERT' THEN\n                        IF NEW.granted_at IS NOT NULL OR NEW.stopped_at IS NOT NULL THEN\n                            RAISE 'a netting is born asked for' USING ERRCODE = 'check_violation';\n                        END IF;\n                    ELSIF OLD.stopped_at IS NOT NULL THEN\n                        RAISE 'netting % was stopped', OLD.id USING ERRCODE = 'check_violation';\n                    ELSIF OLD.granted_at IS NOT NULL AND (NEW.granted_at, NEW.granted_by_id, NEW.opinion)\n                    IS DISTINCT FROM (OLD.granted_at, OLD.granted_by_id, OLD.opinion) THEN\n                        RAISE 'netting % was granted', OLD.id USING ERRCODE = 'check_violation';\n                    ELSIF OLD.granted_at IS NULL AND NEW.granted_at IS NOT NULL AND NOT EXISTS (\n                        SELECT FROM marketplace_organisation o WHERE o.id = NEW.organisation_id AND o.country = 'CN'\n                    ) THEN\n                        RAISE 'netting % is of no domestic member', OLD.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='401028f7ffc6fbc32a14c12686d2305cf365e4dc', operation='INSERT OR UPDATE', pgid='pgtrigger_asked_then_granted_to_a_domestic_member_27518', table='settlement_netting', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='netting',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='53c9cbe120bd9682e1d3444f09ab4cc53e1a9856', operation='DELETE', pgid='pgtrigger_never_deleted_282cd', table='settlement_netting', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='netting',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='8563a2e1ccc549c093aed006e41d6d23c1e1196c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_c4132', table='settlement_netting', when='BEFORE')),
            ),
        ]),
    ]
