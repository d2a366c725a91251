"""Defaults the exchange excuses: an expired trade that is not held against its buyer."""

import django.db.models.deletion
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0028_upgrades'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='Excuse',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reason', models.TextField()),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('trade', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='excuse', to='settlement.trade')),
                ],
                options={
                    'verbose_name': 'excused default',
                    'verbose_name_plural': 'excused defaults',
                    'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='excuse_has_a_reason')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='excuse',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='87a495e2225b277859f32e55d300d4a8828e10a2', operation='UPDATE', pgid='pgtrigger_never_updated_2b77d', table='settlement_excuse', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='excuse',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='2ae048da313dd78dd72ec05a2feb6af06e38a8d6', operation='DELETE', pgid='pgtrigger_never_deleted_baa9e', table='settlement_excuse', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='excuse',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='53715322b61de3ab9cbeb6d57f38eeea1ae13ded', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_b0fe7', table='settlement_excuse', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='excuse',
                trigger=pgtrigger.compiler.Trigger(name='excused_is_what_expired_unpaid', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM settlement_trade t\n                        WHERE t.id = NEW.trade_id AND t.state = 'expired' AND t.registered_at IS NOT NULL\n                    ) THEN\n                        RAISE 'trade % did not expire unpaid', NEW.trade_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='73ced87097df33b523838443c21ddfbab3b7c1b7', operation='INSERT', pgid='pgtrigger_excused_is_what_expired_unpaid_78d4b', table='settlement_excuse', when='BEFORE')),
            ),
        ]),
    ]
