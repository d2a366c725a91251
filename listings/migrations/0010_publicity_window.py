import django.db.models.deletion
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('listings', '0009_licence_contract'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Objection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('upheld', 'Upheld'), ('dismissed', 'Dismissed')], default='open', max_length=10)),
                ('reason', models.TextField()),
                ('evidence', models.TextField(blank=True)),
                ('filed_at', models.DateTimeField(default=marketplace.clock.now)),
                ('decision', models.TextField(blank=True)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'objection',
                'verbose_name_plural': 'objections',
            },
        ),
        migrations.AddField(
            model_name='registration',
            name='objections_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='listing',
            trigger=pgtrigger.compiler.Trigger(name='no_product_is_published_against_an_objection', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'listed\' AND OLD."state" = \'registered\')', func="\n                    IF EXISTS (\n                        SELECT FROM listings_objection o JOIN listings_registration r ON r.id = o.registration_id\n                        WHERE r.version_id = NEW.current_version_id AND o.state <> 'dismissed'\n                    ) THEN\n                        RAISE 'an objection stands against listing %', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='751fec4653ab87f82d4e7821c2d97a33ebde7bb9', operation='UPDATE OF "state"', pgid='pgtrigger_no_product_is_published_against_an_objection_a99ac', table='listings_listing', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='objection',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='objection',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='objection',
            name='registration',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='objections', to='listings.registration'),
        ),
        migrations.AddIndex(
            model_name='objection',
            index=models.Index(fields=['state', 'filed_at'], name='listings_ob_state_404878_idx'),
        ),
        migrations.AddIndex(
            model_name='objection',
            index=models.Index(fields=['by', 'filed_at'], name='listings_ob_by_id_e69408_idx'),
        ),
        migrations.AddConstraint(
            model_name='objection',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('registration', 'by'), name='one_open_objection_per_person'),
        ),
        migrations.AddConstraint(
            model_name='objection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True)), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='decided_objection_says_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='objection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='open_objection_is_not_decided'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='objection',
            trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:dismissed,open:upheld}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='f1e3c33674b2abf02dd51fbcf159f0c220fe285f', operation='UPDATE', pgid='pgtrigger_only_declared_moves_7702c', table='listings_objection', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='objection',
            trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'open\')', func="RAISE 'a row is born open, not %', NEW.state USING ERRCODE = 'check_violation';", hash='2ee1bf56987e3995b0479e2d1f9eca706f4b3659', operation='INSERT', pgid='pgtrigger_born_in_first_state_77206', table='listings_objection', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='objection',
            trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."registration_id" IS DISTINCT FROM (NEW."registration_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."evidence" IS DISTINCT FROM (NEW."evidence") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."filed_at" IS DISTINCT FROM (NEW."filed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='390f705b21fe3bf9aad3d16f0cac57661445d455', operation='UPDATE', pgid='pgtrigger_facts_never_change_f554d', table='listings_objection', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='objection',
            trigger=pgtrigger.compiler.Trigger(name='only_what_waits_to_be_listed_takes_objections', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM listings_registration r\n                        JOIN listings_listing l ON l.current_version_id = r.version_id\n                        WHERE r.id = NEW.registration_id AND r.objections_until IS NOT NULL AND l.state = 'registered'\n                    ) THEN\n                        RAISE 'registration % takes no objections', NEW.registration_id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='a295910015e239ac40ef7fbb1cb17b345788ee09', operation='INSERT', pgid='pgtrigger_only_what_waits_to_be_listed_takes_objections_51d6a', table='listings_objection', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='objection',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='dcb5df1fdac93c9efe35be95ad557986c57dd8d8', operation='DELETE', pgid='pgtrigger_never_deleted_0b3bd', table='listings_objection', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='objection',
            trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='2ea6a5adfc99bac54f5874d2c91e16918bf52117', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_d7ec7', table='listings_objection', when='BEFORE')),
        ),
    ]
