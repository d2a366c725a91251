"""A guard of states knows its moves in its condition, so a row that moves as it may calls no function."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0006_guards_asked_where_a_state_changes'),
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
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'open\', \'closed\'), (\'open\', \'lapsed\'), (\'open\', \'met\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='fca0be19b5fc4e905929d98a26845e4c69be3283', operation='UPDATE', pgid='pgtrigger_only_declared_moves_5c23d', table='compliance_demand', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='demandresponse',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'open\', \'declined\'), (\'open\', \'withdrawn\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='e76c34b8228811195d277c09d05feb5ed0f03a30', operation='UPDATE', pgid='pgtrigger_only_declared_moves_7cd27', table='compliance_demandresponse', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'open\', \'taken\'), (\'open\', \'withdrawn\'), (\'seconded\', \'approved\'), (\'seconded\', \'changes_requested\'), (\'seconded\', \'refused\'), (\'seconded\', \'withdrawn\'), (\'taken\', \'changes_requested\'), (\'taken\', \'refused\'), (\'taken\', \'seconded\'), (\'taken\', \'withdrawn\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='d68865de4ea2acf24b5f1df1397435f069f0d7ac', operation='UPDATE', pgid='pgtrigger_only_declared_moves_8118d', table='compliance_review', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='verification',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM NEW."state" AND (OLD."state", NEW."state") NOT IN ((\'applied\', \'more_requested\'), (\'applied\', \'refused\'), (\'applied\', \'verified\'), (\'more_requested\', \'applied\'), (\'more_requested\', \'refused\'), (\'refused\', \'applied\'), (\'suspended\', \'expelled\'), (\'suspended\', \'verified\'), (\'verified\', \'expelled\'), (\'verified\', \'suspended\')))', func="RAISE 'no row moves from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';", hash='8f47e4f7b81e24c657be0ea925e33f5750645a9d', operation='UPDATE', pgid='pgtrigger_only_declared_moves_3585f', table='compliance_verification', when='BEFORE')),
            ),
        ]),
    ]
