"""A cycle is of one currency, so that a break of the books in another does not keep it from being released."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from marketplace.together import Together

# What its trades and statements are in, if that is one: released cycles of several stay as the papers name them.
OF_ONE = """
    UPDATE settlement_clearingcycle c SET currency = one.currency FROM (
        SELECT cycle_id, min(currency) AS currency FROM (
            SELECT cycle_id, currency FROM settlement_trade WHERE cycle_id IS NOT NULL
            UNION SELECT cycle_id, currency FROM settlement_statement
        ) found GROUP BY cycle_id HAVING count(*) = 1
    ) one WHERE one.cycle_id = c.id
"""
# What most trades of a closed cycle are in; of the open one, most that wait; else what most trades of all are in.
OF_MOST = """
    UPDATE settlement_clearingcycle c SET currency = coalesce(
        (SELECT currency FROM settlement_trade t WHERE t.cycle_id = c.id
            GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1),
        (SELECT currency FROM settlement_trade t WHERE t.cycle_id IS NULL AND t.state = 'accepted'
            GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1),
        (SELECT currency FROM settlement_trade GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1),
        'CNY'
    ) WHERE c.currency = '' AND c.state <> 'released'
"""
# What is of another currency than its closed cycle waits for one of its own.
OTHERS_WAIT = """
    UPDATE settlement_trade t SET cycle_id = NULL FROM settlement_clearingcycle c
    WHERE c.id = t.cycle_id AND c.state <> 'released' AND c.currency <> t.currency
"""


class Migration(migrations.Migration):
    safe_because = "it comes before the first release: no program is at work that opens cycles of no currency"

    dependencies = [
        ('settlement', '0039_buyers_fees_are_validated'),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='clearingcycle',
                name='facts_never_change',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='clearingcycle',
                name='books_agree_before_release',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='payout',
                name='due_with_its_cycle_or_again_as_it_was',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='reserve',
                name='kept_by_terms_of_that_member',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='reserve',
                name='drawn_before_it_is_released_and_released_once',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='statement',
                name='balance_continues_and_is_that_of_the_books',
            ),
            migrations.RemoveConstraint(
                model_name='clearingcycle',
                name='one_open_cycle',
            ),
            migrations.AddField(
                model_name='clearingcycle',
                name='currency',
                field=models.CharField(blank=True, db_default='', default='', max_length=3),
            ),
        ]),
        *(migrations.RunSQL(sql, reverse_sql=migrations.RunSQL.noop) for sql in (OF_ONE, OF_MOST, OTHERS_WAIT)),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='e50b4ee2eb718ac2168234ef19c6d28f1b9f6049', operation='UPDATE', pgid='pgtrigger_facts_never_change_104ce', table='settlement_clearingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='books_agree_before_release', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'released\')', func="\n                    IF EXISTS (\n                        SELECT FROM settlement_break b WHERE b.ended_at IS NULL AND b.currency = NEW.currency\n                    ) THEN\n                        RAISE 'cycle % is of %, whose books do not agree', NEW.number, NEW.currency\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='ca9ec7edbc91cb226ce405e8dd4868b76372c6b2', operation='UPDATE OF "state"', pgid='pgtrigger_books_agree_before_release_09d9a', table='settlement_clearingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='due_with_its_cycle_or_again_as_it_was', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong RECORD;', func="\n                    SELECT p.cycle_id INTO wrong FROM opened p JOIN settlement_clearingcycle c ON c.id = p.cycle_id\n                        WHERE p.replaces_id IS NULL AND c.state = 'released' LIMIT 1;\n                    IF FOUND THEN\n                        RAISE 'cycle % was released with all its payouts', wrong.cycle_id\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT p.cycle_id, p.currency INTO wrong\n                        FROM opened p JOIN settlement_clearingcycle c ON c.id = p.cycle_id\n                        WHERE p.replaces_id IS NULL AND c.currency <> p.currency LIMIT 1;\n                    IF FOUND THEN\n                        RAISE 'cycle % is not of %', wrong.cycle_id, wrong.currency USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT p.organisation_id, p.cycle_id INTO wrong FROM opened p\n                        WHERE p.replaces_id IS NULL AND p.kind = 'net' AND NOT EXISTS (\n                            SELECT FROM settlement_netting n JOIN settlement_clearingcycle c ON c.id = p.cycle_id\n                            WHERE n.organisation_id = p.organisation_id AND n.granted_at <= c.closed_at\n                            AND coalesce(n.stopped_at, 'infinity') > c.closed_at\n                        ) LIMIT 1;\n                    IF FOUND THEN\n                        RAISE 'no netting of member % was in force when cycle % closed', wrong.organisation_id,\n                            wrong.cycle_id USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT p.key INTO wrong FROM opened p\n                        WHERE p.replaces_id IS NOT NULL AND NOT EXISTS (\n                            SELECT FROM settlement_payout o WHERE o.id = p.replaces_id AND o.state = 'bounced'\n                            AND (o.cycle_id, o.organisation_id, o.currency, o.amount_minor, o.kind)\n                                = (p.cycle_id, p.organisation_id, p.currency, p.amount_minor, p.kind)\n                            AND o.trade_id IS NOT DISTINCT FROM p.trade_id\n                        ) LIMIT 1;\n                    IF FOUND THEN\n                        RAISE 'payout % is not what came back', wrong.key USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='3716130e43772186d5285d1a6fc7a658891a0d1a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_due_with_its_cycle_or_again_as_it_was_5c4d4', referencing='REFERENCING NEW TABLE AS opened ', table='settlement_payout', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserve',
                trigger=pgtrigger.compiler.Trigger(name='kept_by_terms_of_that_member', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.drawn_minor <> 0 OR NEW.released_in_id IS NOT NULL OR NOT EXISTS (\n                        SELECT FROM settlement_reserveterms t WHERE t.id = NEW.terms_id\n                        AND t.organisation_id = NEW.organisation_id AND t.currency IN ('', NEW.currency)\n                        AND t.confirmed_at IS NOT NULL AND t.begins_on <= NEW.release_on - t.days::integer\n                        AND coalesce(t.ends_on, 'infinity') >= NEW.release_on - t.days::integer\n                    ) THEN\n                        RAISE 'no terms in force keep back anything of member %', NEW.organisation_id\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NOT EXISTS (\n                        SELECT FROM settlement_clearingcycle WHERE id = NEW.cycle_id AND currency = NEW.currency\n                    ) THEN\n                        RAISE 'cycle % is not of %', NEW.cycle_id, NEW.currency USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='c424e79c2807a0dcd68a96e69b23fe6faf16c376', operation='INSERT', pgid='pgtrigger_kept_by_terms_of_that_member_bbaaf', table='settlement_reserve', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserve',
                trigger=pgtrigger.compiler.Trigger(name='drawn_before_it_is_released_and_released_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.released_in_id IS NOT NULL OR NEW.drawn_minor < OLD.drawn_minor THEN\n                        RAISE 'reserve % was released or drawn', OLD.id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.released_in_id IS NOT NULL AND NOT EXISTS (\n                        SELECT FROM settlement_clearingcycle WHERE id = NEW.released_in_id AND currency = NEW.currency\n                    ) THEN\n                        RAISE 'cycle % is not of %', NEW.released_in_id, NEW.currency\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='0050100d11af4a11288baa9e9ef73f83b7144344', operation='UPDATE', pgid='pgtrigger_drawn_before_it_is_released_and_released_once_f6b26', table='settlement_reserve', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='statement',
                trigger=pgtrigger.compiler.Trigger(name='balance_continues_and_is_that_of_the_books', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE closed BIGINT; held BIGINT; kept BIGINT; owed NUMERIC;', func="\n                    IF NOT EXISTS (\n                        SELECT FROM settlement_clearingcycle WHERE id = NEW.cycle_id AND currency = NEW.currency\n                    ) THEN\n                        RAISE 'cycle % is not of %', NEW.cycle_id, NEW.currency USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT balance_minor INTO held FROM settlement_account\n                        WHERE name = 'payable:' || NEW.organisation_id || ':' || NEW.currency FOR NO KEY UPDATE;\n                    SELECT balance_minor INTO kept FROM settlement_account\n                        WHERE name = 'reserve:' || NEW.organisation_id || ':' || NEW.currency;\n                    SELECT closing_minor INTO closed FROM settlement_statement\n                        WHERE organisation_id = NEW.organisation_id AND currency = NEW.currency\n                        ORDER BY id DESC LIMIT 1;\n                    IF NEW.opening_minor <> coalesce(closed, 0) THEN\n                        RAISE 'the statement opens at %, the one before closed at %', NEW.opening_minor, closed\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT coalesce((SELECT sum(amount_minor) FROM settlement_transfer WHERE debit_id = a.id), 0)\n                            - coalesce((SELECT sum(amount_minor) FROM settlement_transfer WHERE credit_id = a.id), 0)\n                        INTO owed FROM settlement_account a\n                        WHERE a.name = 'receivable:' || NEW.organisation_id || ':' || NEW.currency;\n                    IF NEW.reserve_minor <> coalesce(kept, 0)\n                    OR NEW.closing_minor <> coalesce(held, 0) + NEW.reserve_minor - coalesce(owed, 0) THEN\n                        RAISE 'the statement closes at %, the books hold % and %, and are owed %',\n                            NEW.closing_minor, held, kept, owed USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='f0c9043c675b49b84645ae2168a016bbf9ac15ec', operation='INSERT', pgid='pgtrigger_balance_continues_and_is_that_of_the_books_40fb5', table='settlement_statement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='enters_the_open_cycle_of_its_currency', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."cycle_id" IS NOT NULL)', func="\n                    IF NOT EXISTS (\n                        SELECT FROM settlement_clearingcycle\n                        WHERE id = NEW.cycle_id AND currency = NEW.currency AND state = 'open'\n                    ) THEN\n                        RAISE 'cycle % is not open to a trade in %', NEW.cycle_id, NEW.currency\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='01c11c1b087b09a4d9c8158b7a3351a4345c4e45', operation='INSERT OR UPDATE OF "cycle_id"', pgid='pgtrigger_enters_the_open_cycle_of_its_currency_9d22d', table='settlement_trade', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='clearingcycle',
                constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('currency',), name='one_open_cycle_of_a_currency'),
            ),
            migrations.AddConstraint(
                model_name='clearingcycle',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), _negated=True), ('state', 'released'), _connector='OR'), name='cycle_has_a_currency_until_it_is_released'),
            ),
        ]),
    ]
