"""A guard of states asks only rows whose state changes."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0005_in_order_of_time'),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='demand',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='demandresponse',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='review',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='verification',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='demand',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:closed,open:lapsed,open:met}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='88ccf84a2026c67d9b424b9f513b5e7d97dc46cd', operation='UPDATE', pgid='pgtrigger_only_declared_moves_5c23d', table='compliance_demand', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='demandresponse',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:declined,open:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='617239557fe1445da697effb15fb4c1f2ab88aad', operation='UPDATE', pgid='pgtrigger_only_declared_moves_7cd27', table='compliance_demandresponse', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:taken,open:withdrawn,seconded:approved,seconded:changes_requested,seconded:refused,seconded:withdrawn,taken:changes_requested,taken:refused,taken:seconded,taken:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='0aa2e35610e2d7701995b6ace910c7b857b25eb1', operation='UPDATE', pgid='pgtrigger_only_declared_moves_8118d', table='compliance_review', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='verification',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{applied:more_requested,applied:refused,applied:verified,more_requested:applied,more_requested:refused,refused:applied,suspended:expelled,suspended:verified,verified:expelled,verified:suspended}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='43440bd3dc621d7ee10629c3742a4a55bf65fe09', operation='UPDATE', pgid='pgtrigger_only_declared_moves_3585f', table='compliance_verification', when='BEFORE')),
            ),
        ]),
    ]
