"""A guard of states knows its moves in its condition, so a row that moves as it may calls no function."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('listings', '0018_guards_asked_where_a_state_changes'),
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
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'listed\', \'suspended\'), (\'listed\', \'withdrawn\'), (\'registered\', \'listed\'), (\'registered\', \'withdrawn\'), (\'suspended\', \'listed\'), (\'suspended\', \'withdrawn\'), (\'unlisted\', \'registered\'), (\'unlisted\', \'withdrawn\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='1f5301e12ff1bcbbc128d76cb0f0f10bc3b5a8ce', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b2575', table='listings_listing', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listingreport',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'open\', \'acted_upon\'), (\'open\', \'dismissed\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='314fdad4f802770adb9916348402344c65c534dc', operation='UPDATE', pgid='pgtrigger_only_declared_moves_3fa28', table='listings_listingreport', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='objection',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'open\', \'dismissed\'), (\'open\', \'upheld\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='ede57a60c7a0b77d3897fabbbe9d8523d511bb77', operation='UPDATE', pgid='pgtrigger_only_declared_moves_7702c', table='listings_objection', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='profile',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'done\', \'due\'), (\'due\', \'done\'), (\'due\', \'failed\'), (\'failed\', \'due\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='d5d196a6d3840226906df9d3f4dfc8b45c78a56c', operation='UPDATE', pgid='pgtrigger_only_declared_moves_57160', table='listings_profile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='upload',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'arriving\', \'checking\'), (\'checking\', \'quarantined\'), (\'checking\', \'refused\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='50058edf3d1cf3e38c364db135974bf383e2fc21', operation='UPDATE', pgid='pgtrigger_only_declared_moves_360a1', table='listings_upload', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='version',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'draft\', \'submitted\'), (\'in_review\', \'approved\'), (\'in_review\', \'changes_requested\'), (\'in_review\', \'refused\'), (\'in_review\', \'withdrawn\'), (\'submitted\', \'in_review\'), (\'submitted\', \'withdrawn\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='c037636c0237505bdce022e3d2d804f1ebccdd71', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b0689', table='listings_version', when='BEFORE')),
            ),
        ]),
    ]
