import django.db.models.deletion
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0006_licence_contract'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RefundMending',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('payer_reference', models.CharField(max_length=120)),
                ('named_at', models.DateTimeField(default=marketplace.clock.now)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('dropped_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='another_account_takes_two_people', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."replaces_id" IS NOT NULL)', func="\n                    IF EXISTS (\n                        SELECT FROM settlement_refund r WHERE r.id = NEW.replaces_id\n                        AND r.payer_reference <> NEW.payer_reference\n                    ) AND NOT EXISTS (\n                        SELECT FROM settlement_refundmending m WHERE m.refund_id = NEW.replaces_id\n                        AND m.payer_reference = NEW.payer_reference AND m.confirmed_at IS NOT NULL\n                    ) THEN\n                        RAISE 'refund % goes to another account without two people', NEW.key\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='896c6f47724650aac4d989e8619ea865f3d93871', operation='INSERT', pgid='pgtrigger_another_account_takes_two_people_054b7', table='settlement_refund', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='refundmending',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='refundmending',
            name='refund',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mendings', to='settlement.refund'),
        ),
        migrations.AddField(
            model_name='refundmending',
            name='second_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='refundmending',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('second_by__isnull', True)), models.Q(('confirmed_at__isnull', False), ('second_by__isnull', False)), _connector='OR'), name='confirmed_mending_says_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='refundmending',
            constraint=models.CheckConstraint(condition=models.Q(('second_by', None), models.Q(('second_by', models.F('by')), _negated=True), _connector='OR'), name='refund_mended_by_two_people'),
        ),
        migrations.AddConstraint(
            model_name='refundmending',
            constraint=models.UniqueConstraint(condition=models.Q(('confirmed_at', None), ('dropped_at', None)), fields=('refund',), name='one_open_mending'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundmending',
            trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."refund_id" IS DISTINCT FROM (NEW."refund_id") OR OLD."payer_reference" IS DISTINCT FROM (NEW."payer_reference") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."named_at" IS DISTINCT FROM (NEW."named_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='32814d576ec6cb00ebdc39d522e55ebfcdbe4cce', operation='UPDATE', pgid='pgtrigger_facts_never_change_5bb55', table='settlement_refundmending', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundmending',
            trigger=pgtrigger.compiler.Trigger(name='decided_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."confirmed_at" IS NOT NULL OR OLD."dropped_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5b1b0cca1e0273a24c5dae2ee3ba70bfccab2fb2', operation='UPDATE', pgid='pgtrigger_decided_never_changes_6e32f', table='settlement_refundmending', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundmending',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ef7225b49411356cb54d474673f59a67f3caa096', operation='DELETE', pgid='pgtrigger_never_deleted_1587e', table='settlement_refundmending', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refundmending',
            trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='5c85685bd851e585a4c3c819d9780683c62f94c5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_e51c8', table='settlement_refundmending', when='BEFORE')),
        ),
    ]
