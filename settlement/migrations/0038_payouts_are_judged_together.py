"""All new payouts of a statement are judged by one look; their keys have no index for LIKE, which nothing asks."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from marketplace.together import Together

FEWER = "DROP INDEX IF EXISTS settlement_payout_key_d618d945_like"


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0037_buyers_fee'),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='payout',
                name='due_with_its_cycle_or_again_as_it_was',
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='due_with_its_cycle_or_again_as_it_was', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong RECORD;', func="\n                    SELECT p.cycle_id INTO wrong FROM opened p JOIN settlement_clearingcycle c ON c.id = p.cycle_id\n                        WHERE p.replaces_id IS NULL AND c.state = 'released' LIMIT 1;\n                    IF FOUND THEN\n                        RAISE 'cycle % was released with all its payouts', wrong.cycle_id\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT p.organisation_id, p.cycle_id INTO wrong FROM opened p\n                        WHERE p.replaces_id IS NULL AND p.kind = 'net' AND NOT EXISTS (\n                            SELECT FROM settlement_netting n JOIN settlement_clearingcycle c ON c.id = p.cycle_id\n                            WHERE n.organisation_id = p.organisation_id AND n.granted_at <= c.closed_at\n                            AND coalesce(n.stopped_at, 'infinity') > c.closed_at\n                        ) LIMIT 1;\n                    IF FOUND THEN\n                        RAISE 'no netting of member % was in force when cycle % closed', wrong.organisation_id,\n                            wrong.cycle_id USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT p.key INTO wrong FROM opened p\n                        WHERE p.replaces_id IS NOT NULL AND NOT EXISTS (\n                            SELECT FROM settlement_payout o WHERE o.id = p.replaces_id AND o.state = 'bounced'\n                            AND (o.cycle_id, o.organisation_id, o.currency, o.amount_minor, o.kind)\n                                = (p.cycle_id, p.organisation_id, p.currency, p.amount_minor, p.kind)\n                            AND o.trade_id IS NOT DISTINCT FROM p.trade_id\n                        ) LIMIT 1;\n                    IF FOUND THEN\n                        RAISE 'payout % is not what came back', wrong.key USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='c004cadf62c6715639a2d26fb7cf73c7b9b8d0ca', level='STATEMENT', operation='INSERT', pgid='pgtrigger_due_with_its_cycle_or_again_as_it_was_5c4d4', referencing='REFERENCING NEW TABLE AS opened ', table='settlement_payout', when='AFTER')),
            ),
        ]),
        migrations.RunSQL(FEWER, reverse_sql=migrations.RunSQL.noop),
    ]
