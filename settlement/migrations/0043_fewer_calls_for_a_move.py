"""Guards are asked less: moves as declared call no function, nor do balances; a cycle is looked up once its row is in."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    safe_because = "it comes before the first release, and what is unique was unique before"

    dependencies = [
        ('listings', '0019_fewer_calls_for_a_move'),
        ('marketplace', '0011_quotes_are_papers'),
        ('settlement', '0042_tax_stays_once_a_part_is_paid'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='account',
                name='balance_is_written_by_the_ledger',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='chargeback',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='clearingcycle',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='dispute',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='grant',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='payment',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='payout',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='refund',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='renewal',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='revenuesplit',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='trade',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='trade',
                name='enters_the_open_cycle_of_its_currency',
            ),
            migrations.RemoveIndex(
                model_name='payout',
                name='settlement__cycle_i_5288f3_idx',
            ),
            migrations.AlterField(
                model_name='trade',
                name='certificate',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='marketplace.paper'),
            ),
            migrations.AlterField(
                model_name='trade',
                name='offer',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='trades', to='listings.offer'),
            ),
            migrations.AddIndex(
                model_name='payout',
                index=models.Index(fields=['cycle', 'organisation', 'currency', 'kind'], name='settlement__cycle_i_e9b5e1_idx'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='account',
                trigger=pgtrigger.compiler.Trigger(name='balance_is_written_by_the_ledger', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (pg_trigger_depth() < 1)', func="\n                    RAISE 'the balance of account % is written by transfers alone', OLD.name\n                        USING ERRCODE = 'check_violation';\n                ", hash='1362089ccde9eca95faa1155fcbc05a3153a2f1d', operation='UPDATE OF "balance_minor"', pgid='pgtrigger_balance_is_written_by_the_ledger_b55b9', table='settlement_account', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='chargeback',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'open\', \'lost\'), (\'open\', \'won\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='10f75b62aa530510089b91bb8c0ef5a7bee22331', operation='UPDATE', pgid='pgtrigger_only_declared_moves_adb43', table='settlement_chargeback', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'closed\', \'released\'), (\'open\', \'closed\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='41be416d1ffa3deeb226440e458e4b9e4a2aa7f7', operation='UPDATE', pgid='pgtrigger_only_declared_moves_83ccd', table='settlement_clearingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dispute',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'open\', \'resolved\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='41134225c14e536ecaa09ee7bd62ad870b0c24f5', operation='UPDATE', pgid='pgtrigger_only_declared_moves_4fa2d', table='settlement_dispute', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='grant',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'due\', \'closed\'), (\'due\', \'open\'), (\'open\', \'closed\'), (\'open\', \'suspended\'), (\'suspended\', \'closed\'), (\'suspended\', \'open\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='ea6cdc2c043a56d18d9f4de27de5f91b22d801aa', operation='UPDATE', pgid='pgtrigger_only_declared_moves_8357b', table='settlement_grant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payment',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'requested\', \'failed\'), (\'requested\', \'paid\'), (\'requested\', \'started\'), (\'requested\', \'stopped\'), (\'started\', \'failed\'), (\'started\', \'paid\'), (\'started\', \'stopped\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='7c0ae70a6332820ab3d2423c37fcec1da6d83165', operation='UPDATE', pgid='pgtrigger_only_declared_moves_ce30d', table='settlement_payment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'due\', \'sent\'), (\'paid\', \'bounced\'), (\'sent\', \'bounced\'), (\'sent\', \'paid\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='59022c959b43392df17a8a41c228812269cc4c17', operation='UPDATE', pgid='pgtrigger_only_declared_moves_94db9', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='refund',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'due\', \'sent\'), (\'paid\', \'bounced\'), (\'sent\', \'bounced\'), (\'sent\', \'paid\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='fca2972d07efab11b5bb546cf903d8fa25c37284', operation='UPDATE', pgid='pgtrigger_only_declared_moves_cbeb2', table='settlement_refund', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='renewal',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'renewed\', \'standing\'), (\'standing\', \'renewed\'), (\'standing\', \'stopped\'), (\'stopped\', \'standing\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='860586b58595ce0dfce39fae4724e4a6dc41e00d', operation='UPDATE', pgid='pgtrigger_only_declared_moves_ee16a', table='settlement_renewal', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'in_force\', \'replaced\'), (\'proposed\', \'declined\'), (\'proposed\', \'in_force\'), (\'proposed\', \'withdrawn\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='8b78ec50300433337eadd73e381c4f871af9636c', operation='UPDATE', pgid='pgtrigger_only_declared_moves_2295d', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'accepted\', \'cleared\'), (\'accepted\', \'refunded\'), (\'agreed\', \'cancelled\'), (\'agreed\', \'expired\'), (\'agreed\', \'registered\'), (\'cleared\', \'settled\'), (\'delivered\', \'accepted\'), (\'delivered\', \'disputed\'), (\'delivered\', \'refunded\'), (\'disputed\', \'accepted\'), (\'disputed\', \'refunded\'), (\'funded\', \'delivered\'), (\'funded\', \'refunded\'), (\'proposed\', \'agreed\'), (\'proposed\', \'cancelled\'), (\'proposed\', \'declined\'), (\'proposed\', \'expired\'), (\'registered\', \'cancelled\'), (\'registered\', \'expired\'), (\'registered\', \'funded\'), (\'registered\', \'refunded\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='0ebf4a287c1e6840df6acfa77c0d49c0a23dbdb8', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b8378', table='settlement_trade', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='enters_the_open_cycle_of_its_currency', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."cycle_id" IS NOT NULL)', func="\n                    IF NOT EXISTS (\n                        SELECT FROM settlement_clearingcycle\n                        WHERE id = NEW.cycle_id AND currency = NEW.currency AND state = 'open'\n                    ) THEN\n                        RAISE 'cycle % is not open to a trade in %', NEW.cycle_id, NEW.currency\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='7158a04dbffa14ef98c1d89d9c47dd2088136fdd', operation='INSERT OR UPDATE OF "cycle_id"', pgid='pgtrigger_enters_the_open_cycle_of_its_currency_9d22d', table='settlement_trade', when='AFTER')),
            ),
            migrations.AddConstraint(
                model_name='trade',
                constraint=models.UniqueConstraint(condition=models.Q(('certificate__isnull', False)), fields=('certificate',), name='certificate_is_of_one_trade'),
            ),
        ]),
    ]
