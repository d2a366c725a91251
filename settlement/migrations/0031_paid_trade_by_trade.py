"""Payouts of one trade each: what they are of, and that they sum to the statement's net."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):
    safe_because = "it comes before the first release: no exchange that is at work has paid anything out yet"

    dependencies = [
        ('marketplace', '0011_quotes_are_papers'),
        ('settlement', '0030_gateway_charges_passed_on'),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='payout',
                name='facts_never_change',
            ),
            migrations.RemoveConstraint(
                model_name='payout',
                name='one_payout_per_member_and_cycle',
            ),
            migrations.AddField(
                model_name='payout',
                name='kind',
                field=models.CharField(choices=[('trade', 'One trade'), ('net', 'Net of several trades'), ('reserve', 'Released from reserve')], default='net', max_length=10),
                preserve_default=False,
            ),
            migrations.AddField(
                model_name='payout',
                name='trade',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='settlement.trade'),
            ),
            migrations.AlterField(
                model_name='payout',
                name='cycle',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='settlement.clearingcycle'),
            ),
            migrations.AddIndex(
                model_name='payout',
                index=models.Index(fields=['cycle', 'organisation', 'currency'], name='settlement__cycle_i_5288f3_idx'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cycle_id" IS DISTINCT FROM (NEW."cycle_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."trade_id" IS DISTINCT FROM (NEW."trade_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='0e4a65b87b84a340a8f79476a95c3953bedb01dc', operation='UPDATE', pgid='pgtrigger_facts_never_change_837e8', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='due_with_its_cycle_or_again_as_it_was', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.replaces_id IS NULL THEN\n                        IF EXISTS (\n                            SELECT FROM settlement_clearingcycle c WHERE c.id = NEW.cycle_id AND c.state = 'released'\n                        ) THEN\n                            RAISE 'cycle % was released with all its payouts', NEW.cycle_id\n                                USING ERRCODE = 'check_violation';\n                        END IF;\n                    ELSIF NOT EXISTS (\n                        SELECT FROM settlement_payout o WHERE o.id = NEW.replaces_id AND o.state = 'bounced'\n                        AND (o.cycle_id, o.organisation_id, o.currency, o.amount_minor, o.kind)\n                            = (NEW.cycle_id, NEW.organisation_id, NEW.currency, NEW.amount_minor, NEW.kind)\n                        AND o.trade_id IS NOT DISTINCT FROM NEW.trade_id\n                    ) THEN\n                        RAISE 'payout % is not what came back', NEW.key USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='eb1e7521ffdf1194381db8630a8a6989021ae3da', operation='INSERT', pgid='pgtrigger_due_with_its_cycle_or_again_as_it_was_5c4d4', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='statement',
                trigger=pgtrigger.compiler.Trigger(name='payouts_are_the_net', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE paid NUMERIC;', func="\n                    SELECT coalesce(sum(amount_minor), 0) INTO paid FROM settlement_payout\n                        WHERE cycle_id = NEW.cycle_id AND organisation_id = NEW.organisation_id\n                        AND currency = NEW.currency AND replaces_id IS NULL;\n                    IF paid <> NEW.net_minor THEN\n                        RAISE 'the payouts are % and the net of the statement is %', paid, NEW.net_minor\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='15a635e3df7d699b9c22f793c3f9889cc0268085', operation='INSERT', pgid='pgtrigger_payouts_are_the_net_1799a', table='settlement_statement', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            migrations.AddConstraint(
                model_name='payout',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'trade'), ('trade__isnull', False)), models.Q(models.Q(('kind', 'trade'), _negated=True), ('trade', None)), _connector='OR'), name='payout_of_a_trade_names_it'),
            ),
            migrations.AddConstraint(
                model_name='payout',
                constraint=models.UniqueConstraint(condition=models.Q(('trade', None), models.Q(('state', 'bounced'), _negated=True)), fields=('cycle', 'organisation', 'currency', 'kind'), name='one_payout_per_member_cycle_and_kind'),
            ),
            migrations.AddConstraint(
                model_name='payout',
                constraint=models.UniqueConstraint(condition=models.Q(('trade__isnull', False), models.Q(('state', 'bounced'), _negated=True)), fields=('trade', 'organisation'), name='one_payout_per_member_and_trade'),
            ),
        ]),
    ]
