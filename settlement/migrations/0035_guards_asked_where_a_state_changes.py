"""A guard of states asks only rows whose state changes; trades have fewer indexes to write."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    safe_because = "it comes before the first release, and what is unique was unique before"

    dependencies = [
        ('listings', '0018_guards_asked_where_a_state_changes'),
        ('marketplace', '0011_quotes_are_papers'),
        ('settlement', '0034_postpaid_calls'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
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
            migrations.RemoveConstraint(
                model_name='trade',
                name='licence_is_renewed_by_one_trade',
            ),
            migrations.RemoveConstraint(
                model_name='trade',
                name='licence_is_upgraded_by_one_trade',
            ),
            migrations.AlterField(
                model_name='trade',
                name='renews',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='renewals', to='settlement.trade'),
            ),
            migrations.AlterField(
                model_name='trade',
                name='upgrades',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='upgraded_by', to='settlement.trade'),
            ),
            migrations.AddIndex(
                model_name='trade',
                index=models.Index(condition=models.Q(('renews__isnull', False)), fields=['renews'], name='renewals_of_a_trade'),
            ),
            migrations.AddIndex(
                model_name='trade',
                index=models.Index(condition=models.Q(('upgrades__isnull', False)), fields=['upgrades'], name='upgrades_of_a_trade'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='chargeback',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:lost,open:won}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='314d2ada2590446d99e8b783ea138705e3ada7b3', operation='UPDATE', pgid='pgtrigger_only_declared_moves_adb43', table='settlement_chargeback', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{closed:released,open:closed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6930aa227ba605c1642c09f56207234d8f55e006', operation='UPDATE', pgid='pgtrigger_only_declared_moves_83ccd', table='settlement_clearingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dispute',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:resolved}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='c3b217b74eaa77d53ebe2cfcb0f5781225124cfb', operation='UPDATE', pgid='pgtrigger_only_declared_moves_4fa2d', table='settlement_dispute', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='grant',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{due:closed,due:open,open:closed,open:suspended,suspended:closed,suspended:open}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='aff79a359fb21a9e0a4d5f315bdd79e4f53ffddb', operation='UPDATE', pgid='pgtrigger_only_declared_moves_8357b', table='settlement_grant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payment',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{requested:failed,requested:paid,requested:started,requested:stopped,started:failed,started:paid,started:stopped}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='a4dc9832effdc09b7b7c4f14fe845f2aab3c3f39', operation='UPDATE', pgid='pgtrigger_only_declared_moves_ce30d', table='settlement_payment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{due:sent,paid:bounced,sent:bounced,sent:paid}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='afc7473011904134509224f4a788145f6770809c', operation='UPDATE', pgid='pgtrigger_only_declared_moves_94db9', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='refund',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{due:sent,paid:bounced,sent:bounced,sent:paid}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='1a3017d28b43afd4045fc032ec7cfafef3dcd484', operation='UPDATE', pgid='pgtrigger_only_declared_moves_cbeb2', table='settlement_refund', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='renewal',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{renewed:standing,standing:renewed,standing:stopped,stopped:standing}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='bf28fcd436f070a362d1285b6e68557ec742611e', operation='UPDATE', pgid='pgtrigger_only_declared_moves_ee16a', table='settlement_renewal', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{in_force:replaced,proposed:declined,proposed:in_force,proposed:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='3b93a277dc1c1c657753ea6800cef0289f7a0464', operation='UPDATE', pgid='pgtrigger_only_declared_moves_2295d', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{accepted:cleared,accepted:refunded,agreed:cancelled,agreed:expired,agreed:registered,cleared:settled,delivered:accepted,delivered:disputed,delivered:refunded,disputed:accepted,disputed:refunded,funded:delivered,funded:refunded,proposed:agreed,proposed:cancelled,proposed:declined,proposed:expired,registered:cancelled,registered:expired,registered:funded,registered:refunded}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='ad7b540a6af2f948cd565d800f7d413f8eceb21f', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b8378', table='settlement_trade', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='trade',
                constraint=models.UniqueConstraint(condition=models.Q(('renews__isnull', False), models.Q(('state__in', ['declined', 'cancelled', 'expired', 'refunded']), _negated=True)), fields=('renews',), name='licence_is_renewed_by_one_trade'),
            ),
            migrations.AddConstraint(
                model_name='trade',
                constraint=models.UniqueConstraint(condition=models.Q(('upgrades__isnull', False), models.Q(('state__in', ['declined', 'cancelled', 'expired', 'refunded']), _negated=True)), fields=('upgrades',), name='licence_is_upgraded_by_one_trade'),
            ),
        ]),
    ]
