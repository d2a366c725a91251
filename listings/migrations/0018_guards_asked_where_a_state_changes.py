"""A guard of states asks only rows whose state changes."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('listings', '0017_postpaid_calls'),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='listing',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='listingreport',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='objection',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='profile',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='upload',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='version',
                name='only_declared_moves',
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listing',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{listed:suspended,listed:withdrawn,registered:listed,registered:withdrawn,suspended:listed,suspended:withdrawn,unlisted:registered,unlisted:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='4f6f794647acac3b61d28f55dc3c59d109962acc', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b2575', table='listings_listing', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listingreport',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:acted_upon,open:dismissed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='2c6e97072d9a0ce2e026ae29d1be143deafbe772', operation='UPDATE', pgid='pgtrigger_only_declared_moves_3fa28', table='listings_listingreport', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='objection',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:dismissed,open:upheld}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='53f406555a6aaca9c5f598d67503d14ddc6bd7d6', operation='UPDATE', pgid='pgtrigger_only_declared_moves_7702c', table='listings_objection', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='profile',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{done:due,due:done,due:failed,failed:due}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e3ee72ca569af797ad94f45b574afb2328a0ddc1', operation='UPDATE', pgid='pgtrigger_only_declared_moves_57160', table='listings_profile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='upload',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{arriving:checking,checking:quarantined,checking:refused}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6b2d7057ae60ba62165db6dc2178c60215c1bc28', operation='UPDATE', pgid='pgtrigger_only_declared_moves_360a1', table='listings_upload', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='version',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{draft:submitted,in_review:approved,in_review:changes_requested,in_review:refused,in_review:withdrawn,submitted:in_review,submitted:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='dd0003da82cd6a8911b3110e4ed43ae172d76df4', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b0689', table='listings_version', when='BEFORE')),
            ),
        ]),
    ]
