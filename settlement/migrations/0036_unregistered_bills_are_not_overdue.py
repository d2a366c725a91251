"""A bill that the exchange never registered asked nobody for money, so it suspends nothing."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0035_guards_asked_where_a_state_changes'),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='grant',
                name='access_rests_while_a_bill_is_overdue',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='trade',
                name='overdue_bill_suspends_access',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='trade',
                name='one_metered_licence_of_a_product',
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='grant',
                trigger=pgtrigger.compiler.Trigger(name='access_rests_while_a_bill_is_overdue', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'open\' AND OLD."state" = \'suspended\')', constraint='CONSTRAINT', func="\n                    IF EXISTS (\n        SELECT FROM settlement_trade e WHERE e.bills_id = NEW.trade_id AND e.state = 'expired'\n        AND e.registered_at IS NOT NULL AND e.first_call > (\n    SELECT coalesce(sum(b.quantity), 0) FROM settlement_trade b WHERE b.bills_id = NEW.trade_id\n    AND b.state NOT IN ('proposed', 'agreed', 'registered', 'expired')\n)\n    ) THEN\n                        RAISE 'a bill of trade % is overdue', NEW.trade_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='7d0906ad2f2b56d1792092e9e0e2e12b4bbd109e', operation='UPDATE OF "state"', pgid='pgtrigger_access_rests_while_a_bill_is_overdue_c2621', table='settlement_grant', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='overdue_bill_suspends_access', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."bills_id" IS NOT NULL AND NEW."state" = \'expired\')', constraint='CONSTRAINT', func="\n                    IF EXISTS (\n                        SELECT FROM settlement_grant g WHERE g.trade_id = NEW.bills_id AND g.state = 'open'\n                        AND NOT g.is_close_due AND EXISTS (\n        SELECT FROM settlement_trade e WHERE e.bills_id = NEW.bills_id AND e.state = 'expired'\n        AND e.registered_at IS NOT NULL AND e.first_call > (\n    SELECT coalesce(sum(b.quantity), 0) FROM settlement_trade b WHERE b.bills_id = NEW.bills_id\n    AND b.state NOT IN ('proposed', 'agreed', 'registered', 'expired')\n)\n    )\n                    ) THEN\n                        RAISE 'bill % is overdue while access is open', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='cc8f388e32f0d4a6149f7995b453b8b1aedea796', operation='UPDATE OF "state"', pgid='pgtrigger_overdue_bill_suspends_access_c7b20', table='settlement_trade', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='one_metered_licence_of_a_product', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."quantity" IS NULL AND NEW."unit_price_minor" IS NOT NULL)', func="\n                    PERFORM FROM marketplace_organisation o WHERE o.id = NEW.buyer_id FOR NO KEY UPDATE;\n                    IF EXISTS (\n                        SELECT FROM settlement_trade t LEFT JOIN settlement_grant g ON g.trade_id = t.id\n                        WHERE t.buyer_id = NEW.buyer_id AND t.listing_id = NEW.listing_id\n                        AND t.quantity IS NULL AND t.unit_price_minor IS NOT NULL\n                        AND t.state NOT IN ('declined', 'cancelled', 'expired', 'refunded')\n                        AND (g.state IS DISTINCT FROM 'closed' AND g.is_close_due IS DISTINCT FROM true\n                            OR EXISTS (\n        SELECT FROM settlement_trade e WHERE e.bills_id = t.id AND e.state = 'expired'\n        AND e.registered_at IS NOT NULL AND e.first_call > (\n    SELECT coalesce(sum(b.quantity), 0) FROM settlement_trade b WHERE b.bills_id = t.id\n    AND b.state NOT IN ('proposed', 'agreed', 'registered', 'expired')\n)\n    ))\n                    ) THEN\n                        RAISE 'organisation % has calls of this product billed already', NEW.buyer_id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='1c3c16e9be1e68e852281bc0d6008df423e1c8d2', operation='INSERT', pgid='pgtrigger_one_metered_licence_of_a_product_3b560', table='settlement_trade', when='BEFORE')),
            ),
        ]),
    ]
