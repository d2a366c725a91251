"""Every table of the app, and what the database refuses of its rows."""

import django.db.models.deletion
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('listings', '0001_initial'),
        ('marketplace', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='TierDecision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reason', models.TextField()),
                    ('decided_at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='Verification',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('applied', 'Applied'), ('more_requested', 'More information requested'), ('verified', 'Verified'), ('suspended', 'Suspended'), ('refused', 'Refused'), ('expelled', 'Expelled')], default='applied', max_length=16, verbose_name='state')),
                    ('applied_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('changed_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('number_claim', models.CharField(blank=True, default='', editable=False, max_length=60)),
                ],
                options={
                    'verbose_name': 'verification',
                    'verbose_name_plural': 'verifications',
                },
            ),
            migrations.CreateModel(
                name='Decision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('act', models.CharField(max_length=20)),
                    ('reason_code', models.CharField(max_length=40)),
                    ('reason', models.TextField()),
                    ('proposed_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                    ('dropped_at', models.DateTimeField(blank=True, null=True)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('second_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'decision',
                    'verbose_name_plural': 'decisions',
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='Declaration',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text_version', models.CharField(max_length=20)),
                    ('text_digest', models.CharField(max_length=80)),
                    ('is_restricted', models.BooleanField()),
                    ('related_parties', models.TextField(blank=True)),
                    ('declared_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='declarations', to='marketplace.organisation')),
                ],
                options={
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='DossierSection',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('section', models.CharField(choices=[('identity', 'The organisation'), ('representative', 'Legal representative'), ('activity', 'What it does'), ('owners', 'Beneficial owners'), ('contacts', 'Contacts for security and privacy'), ('bank', 'Bank account, for the record')], max_length=20)),
                    ('facts', models.JSONField()),
                    ('saved_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='dossier', to='marketplace.organisation')),
                    ('saved_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='FactChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('section', models.CharField(choices=[('identity', 'The organisation'), ('representative', 'Legal representative'), ('activity', 'What it does'), ('owners', 'Beneficial owners'), ('contacts', 'Contacts for security and privacy'), ('bank', 'Bank account, for the record')], max_length=20)),
                    ('before', models.JSONField()),
                    ('after', models.JSONField()),
                    ('asked_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('first_at', models.DateTimeField(blank=True, null=True)),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                    ('outcome', models.CharField(blank=True, choices=[('confirmed', 'Confirmed'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn')], max_length=10)),
                    ('reason', models.TextField(blank=True)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fact_changes', to='marketplace.organisation')),
                    ('second_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'change of facts',
                    'verbose_name_plural': 'changes of facts',
                },
            ),
            migrations.CreateModel(
                name='Hold',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('subject_kind', models.CharField(choices=[('organisation', 'Organisation'), ('listing', 'Listing'), ('trade', 'Trade')], max_length=20)),
                    ('subject_id', models.BigIntegerField()),
                    ('reason_code', models.CharField(max_length=40)),
                    ('reason', models.TextField()),
                    ('placed_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('lifted_at', models.DateTimeField(blank=True, null=True)),
                    ('lift_reason', models.TextField(blank=True)),
                    ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('placed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'hold',
                    'verbose_name_plural': 'holds',
                },
            ),
            migrations.CreateModel(
                name='Note',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField()),
                    ('written_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='staff_notes', to='marketplace.organisation')),
                ],
                options={
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='Proof',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('kind', models.CharField(choices=[('licence', 'Business licence'), ('register_extract', 'Extract of the register'), ('address', 'Proof of address'), ('authorisation', 'Authorisation of the applicant'), ('e_licence', 'Electronic licence')], max_length=20)),
                    ('issuer', models.CharField(max_length=200)),
                    ('number', models.CharField(blank=True, max_length=100)),
                    ('issued_on', models.DateField(blank=True, null=True)),
                    ('expires_on', models.DateField(blank=True, null=True)),
                    ('media_type', models.CharField(max_length=40)),
                    ('size_bytes', models.PositiveIntegerField()),
                    ('digest', models.CharField(max_length=80)),
                    ('stored_as', models.CharField(max_length=80, unique=True)),
                    ('uploaded_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('drawn_at', models.DateTimeField(blank=True, null=True)),
                    ('failure', models.CharField(blank=True, max_length=40)),
                    ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                    ('expiry_told_at', models.DateTimeField(blank=True, null=True)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proofs', to='marketplace.organisation')),
                    ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'paper of an organisation',
                    'verbose_name_plural': 'papers of organisations',
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='ProofPicture',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('page', models.PositiveSmallIntegerField()),
                    ('stored_as', models.CharField(max_length=80, unique=True)),
                    ('digest', models.CharField(max_length=80)),
                    ('proof', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pictures', to='compliance.proof')),
                ],
                options={
                    'ordering': ['page'],
                },
            ),
            migrations.CreateModel(
                name='Review',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('open', 'Waiting for a reviewer'), ('taken', 'In review'), ('seconded', 'Approved by one, waiting for the second'), ('approved', 'Approved'), ('changes_requested', 'Changes requested'), ('refused', 'Refused'), ('withdrawn', 'Taken back by the seller')], default='open', max_length=20, verbose_name='state')),
                    ('opened_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('target_hours', models.PositiveSmallIntegerField(default=0)),
                    ('due_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('stands_still_since', models.DateTimeField(blank=True, null=True)),
                    ('risk_points', models.PositiveSmallIntegerField(default=0)),
                    ('risk', models.JSONField(default=list)),
                    ('first_at', models.DateTimeField(blank=True, null=True)),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                    ('reason_code', models.CharField(blank=True, max_length=40)),
                    ('reason', models.TextField(blank=True)),
                    ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('second_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('submitted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('version', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review', to='listings.version')),
                ],
                options={
                    'verbose_name': 'review',
                    'verbose_name_plural': 'reviews',
                },
            ),
            migrations.CreateModel(
                name='ReviewDecision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('act', models.CharField(choices=[('approve', 'Approved'), ('request_changes', 'Changes requested'), ('refuse', 'Refused'), ('take_back', 'Taken back by the seller')], max_length=20)),
                    ('decided_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('reason_code', models.CharField(blank=True, max_length=40)),
                    ('reason', models.TextField(blank=True)),
                    ('rules_version', models.CharField(blank=True, max_length=20)),
                    ('checklist_version', models.CharField(blank=True, max_length=20)),
                    ('answers', models.JSONField(default=list)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='compliance.review')),
                ],
                options={
                    'verbose_name': 'decision of a review',
                    'verbose_name_plural': 'decisions of reviews',
                    'ordering': ['pk'],
                },
            ),
            migrations.CreateModel(
                name='ReviewNote',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                    ('text', models.TextField()),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='compliance.review')),
                ],
                options={
                    'verbose_name': 'note on a review',
                    'verbose_name_plural': 'notes on reviews',
                    'ordering': ['pk'],
                },
            ),
            migrations.CreateModel(
                name='ReviewQuestion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('field', models.CharField(max_length=40)),
                    ('question', models.TextField()),
                    ('asked_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('answer', models.TextField(blank=True)),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                    ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='questions', to='compliance.review')),
                    ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'question of a review',
                    'verbose_name_plural': 'questions of reviews',
                    'ordering': ['pk'],
                },
            ),
            migrations.CreateModel(
                name='RulesAcceptance',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('rules_version', models.CharField(max_length=20)),
                    ('rules_digest', models.CharField(max_length=80)),
                    ('accepted_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rules_acceptances', to='marketplace.organisation')),
                ],
                options={
                    'verbose_name': 'acceptance of the rules',
                    'verbose_name_plural': 'acceptances of the rules',
                },
            ),
            migrations.CreateModel(
                name='Tier',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.SlugField(max_length=20, unique=True)),
                    ('rank', models.PositiveSmallIntegerField(unique=True)),
                    ('names', models.JSONField()),
                ],
                options={
                    'verbose_name': 'tier',
                    'verbose_name_plural': 'tiers',
                    'ordering': ['rank'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('names__has_keys', ['en', 'zh-hans', 'zh-hant'])), name='tier_is_named_in_three_languages')],
                },
            ),
        ]),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='tier',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='36a412a9678fb2c57d0ac35727cc7615e6263023', operation='UPDATE', pgid='pgtrigger_facts_never_change_866ab', table='compliance_tier', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tier',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e850dc53ac5ea58b23a1d8c0a95899c4ef649a25', operation='DELETE', pgid='pgtrigger_never_deleted_f4324', table='compliance_tier', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tier',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='1758a6e8cbb4f0d858d1e4e1f60cd45e5d0625aa', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_8d54c', table='compliance_tier', when='BEFORE')),
            ),
            migrations.AddField(
                model_name='tierdecision',
                name='by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='tierdecision',
                name='organisation',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tier_decisions', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='tierdecision',
                name='tier',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.tier'),
            ),
            migrations.AddField(
                model_name='verification',
                name='organisation',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='verification', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='decision',
                name='verification',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='compliance.verification'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='declaration',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='49fc5cfb0c47295a6489200f62f8a1cadb9e5b5d', operation='UPDATE', pgid='pgtrigger_never_updated_045e3', table='compliance_declaration', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='declaration',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='6c1ae3e63eafe9d0aba37caf0859da5342d8de9e', operation='DELETE', pgid='pgtrigger_never_deleted_5a697', table='compliance_declaration', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='declaration',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='ebd86b78b9781ce327bec50ffef9c5689a865c24', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_ec3ae', table='compliance_declaration', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='dossiersection',
                constraint=models.UniqueConstraint(fields=('organisation', 'section'), name='one_dossier_section_of_a_kind'),
            ),
            migrations.AddConstraint(
                model_name='dossiersection',
                constraint=models.CheckConstraint(condition=models.Q(('section', 'identity'), _negated=True), name='identity_is_kept_with_the_organisation'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dossiersection',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."section" IS DISTINCT FROM (NEW."section"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c27bcdb6bbdec9f3c0ee96bac177512b10d079b4', operation='UPDATE', pgid='pgtrigger_facts_never_change_c3b1d', table='compliance_dossiersection', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dossiersection',
                trigger=pgtrigger.compiler.Trigger(name='vetted_facts_change_by_decision', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF TG_OP = 'UPDATE' THEN\n                        IF NEW.facts = OLD.facts THEN RETURN NEW; END IF;\n                    END IF;\n                    IF EXISTS (\n                        SELECT FROM compliance_verification v\n                        WHERE v.organisation_id = NEW.organisation_id\n                        AND v.state IN ('applied', 'verified', 'suspended', 'expelled')\n                    ) AND NOT COALESCE((\n                        SELECT c.outcome = 'confirmed' AND c.after = NEW.facts FROM compliance_factchange c\n                        WHERE c.organisation_id = NEW.organisation_id AND c.section = NEW.section AND c.outcome <> ''\n                        ORDER BY c.decided_at DESC, c.id DESC LIMIT 1\n                    ), FALSE) THEN\n                        RAISE 'the % of organisation % changes by a decision only', NEW.section, NEW.organisation_id\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='90cba316bd7dec30dc7417133a052d24db57b5da', operation='INSERT OR UPDATE', pgid='pgtrigger_vetted_facts_change_by_decision_4db4f', table='compliance_dossiersection', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dossiersection',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d4ca34b56f497991ce0ea62c63817ffa6df01664', operation='DELETE', pgid='pgtrigger_never_deleted_83a8b', table='compliance_dossiersection', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dossiersection',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='17508eddce64f9753ca1db0aa30468e394cecd49', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_79c6c', table='compliance_dossiersection', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='factchange',
                constraint=models.UniqueConstraint(condition=models.Q(('outcome', '')), fields=('organisation', 'section'), name='one_open_change_per_section'),
            ),
            migrations.AddConstraint(
                model_name='factchange',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('by__isnull', True), ('first_at__isnull', True)), models.Q(('by__isnull', False), ('first_at__isnull', False)), _connector='OR'), name='first_word_on_a_change_says_when'),
            ),
            migrations.AddConstraint(
                model_name='factchange',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('outcome', '')), models.Q(('decided_at__isnull', False), models.Q(('outcome', ''), _negated=True)), _connector='OR'), name='decided_change_says_how'),
            ),
            migrations.AddConstraint(
                model_name='factchange',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'confirmed'), _negated=True), ('by__isnull', False), _connector='OR'), name='confirmed_change_names_who_confirmed'),
            ),
            migrations.AddConstraint(
                model_name='factchange',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'confirmed'), _negated=True), models.Q(('section__in', ['identity', 'representative', 'owners']), _negated=True), models.Q(('second_by__isnull', False), models.Q(('second_by', models.F('by')), _negated=True)), _connector='OR'), name='changes_of_identity_take_two'),
            ),
            migrations.AddConstraint(
                model_name='factchange',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'refused'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='refused_change_says_why'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='factchange',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."section" IS DISTINCT FROM (NEW."section") OR OLD."before" IS DISTINCT FROM (NEW."before") OR OLD."after" IS DISTINCT FROM (NEW."after") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7c58b5d42ea87afe5a55c21c7d78a7f51e4bf360', operation='UPDATE', pgid='pgtrigger_facts_never_change_38ad3', table='compliance_factchange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='factchange',
                trigger=pgtrigger.compiler.Trigger(name='no_member_confirms_their_own_facts', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (\n                        SELECT FROM marketplace_membership m\n                        WHERE m.organisation_id = NEW.organisation_id AND m.user_id IN (NEW.by_id, NEW.second_by_id)\n                    ) THEN\n                        RAISE 'a member of the organisation cannot decide on its facts'\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='2db31b4526163d1c75077a3936a836a4146f9d2e', operation='INSERT OR UPDATE', pgid='pgtrigger_no_member_confirms_their_own_facts_bb24d', table='compliance_factchange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='factchange',
                trigger=pgtrigger.compiler.Trigger(name='decided_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."decided_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8984842f87349fa6ef0c39dc7b6067c753240811', operation='UPDATE', pgid='pgtrigger_decided_never_changes_2e7e7', table='compliance_factchange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='factchange',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='063f5fc2b1abdea7dcb8ef2f8033f42b0e558a34', operation='DELETE', pgid='pgtrigger_never_deleted_17f1b', table='compliance_factchange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='factchange',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='87648796320140efa6a2d8341557b36252890f3f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_ec04c', table='compliance_factchange', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='hold',
                index=models.Index(fields=['subject_kind', 'subject_id'], name='compliance__subject_47d942_idx'),
            ),
            migrations.AddConstraint(
                model_name='hold',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='lifted_hold_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='hold',
                constraint=models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('subject_kind', 'subject_id'), name='one_open_hold'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."subject_kind" IS DISTINCT FROM (NEW."subject_kind") OR OLD."subject_id" IS DISTINCT FROM (NEW."subject_id") OR OLD."reason_code" IS DISTINCT FROM (NEW."reason_code") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."placed_by_id" IS DISTINCT FROM (NEW."placed_by_id") OR OLD."placed_at" IS DISTINCT FROM (NEW."placed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1139847e1a99f0fc93f9d4ed2941e4430afc0737', operation='UPDATE', pgid='pgtrigger_facts_never_change_83890', table='compliance_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='lifted_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."lifted_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='bc37cbc013b4942dd74d9977905cfefa5a1e6a2e', operation='UPDATE', pgid='pgtrigger_lifted_never_changes_139c9', table='compliance_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='154de5143a2e2cd53243a527954f1985417548c0', operation='DELETE', pgid='pgtrigger_never_deleted_93022', table='compliance_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='dc5dfaa1e9332a8dc9fce5d6314045774235db4d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_b65d3', table='compliance_hold', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='note',
                constraint=models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='note_says_something'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='note',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='41cd1549c83f32bdcbc2c3f692a16f0fbc0c9d60', operation='UPDATE', pgid='pgtrigger_never_updated_0dace', table='compliance_note', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='note',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='97ce2bf871e35f29e829f7b34e39e77d32e027ce', operation='DELETE', pgid='pgtrigger_never_deleted_d2110', table='compliance_note', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='note',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='a075f7e05c4fc3c91ee0de2068de74560d5e7c0b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_ee551', table='compliance_note', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='proof',
                index=models.Index(condition=models.Q(('drawn_at', None)), fields=['next_try_at'], name='proof_undrawn'),
            ),
            migrations.AddIndex(
                model_name='proof',
                index=models.Index(condition=models.Q(('withdrawn_at', None)), fields=['expires_on'], name='proof_expiring'),
            ),
            migrations.AddConstraint(
                model_name='proof',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False)), _connector='OR'), name='withdrawn_proof_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='proof',
                constraint=models.CheckConstraint(condition=models.Q(('issued_on', None), ('expires_on', None), ('expires_on__gte', models.F('issued_on')), _connector='OR'), name='proof_expires_after_it_was_issued'),
            ),
            migrations.AddConstraint(
                model_name='proof',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'e_licence'), _negated=True), ('issued_on__isnull', False), _connector='OR'), name='licence_says_when_it_expires_or_was_issued'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='proof',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."issuer" IS DISTINCT FROM (NEW."issuer") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."issued_on" IS DISTINCT FROM (NEW."issued_on") OR OLD."expires_on" IS DISTINCT FROM (NEW."expires_on") OR OLD."media_type" IS DISTINCT FROM (NEW."media_type") OR OLD."size_bytes" IS DISTINCT FROM (NEW."size_bytes") OR OLD."digest" IS DISTINCT FROM (NEW."digest") OR OLD."stored_as" IS DISTINCT FROM (NEW."stored_as") OR OLD."uploaded_by_id" IS DISTINCT FROM (NEW."uploaded_by_id") OR OLD."uploaded_at" IS DISTINCT FROM (NEW."uploaded_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='be48f0f81a51204305dbf2e717033e2fe893d7ec', operation='UPDATE', pgid='pgtrigger_facts_never_change_7e2f2', table='compliance_proof', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='proof',
                trigger=pgtrigger.compiler.Trigger(name='withdrawn_stays_withdrawn', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."withdrawn_at" IS NULL AND OLD."withdrawn_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='0d0f3dd9bf0f5d1cce43133ce7204e736faa90c3', operation='UPDATE', pgid='pgtrigger_withdrawn_stays_withdrawn_2d8a9', table='compliance_proof', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='proof',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='60f65463488297641fa452b47e6cf6f66c08600a', operation='DELETE', pgid='pgtrigger_never_deleted_2d620', table='compliance_proof', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='proof',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='78378064daa71c717e945b21bc6c270f89426638', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_823a1', table='compliance_proof', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='proofpicture',
                constraint=models.UniqueConstraint(fields=('proof', 'page'), name='one_picture_per_page'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='proofpicture',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1052b521d103569883b55d0c4d71ce1ffa072371', operation='UPDATE', pgid='pgtrigger_never_updated_89691', table='compliance_proofpicture', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='proofpicture',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='dcec49af3e65519ee6ce1bc72152679dd882c961', operation='DELETE', pgid='pgtrigger_never_deleted_fed7e', table='compliance_proofpicture', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='proofpicture',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='5a99eab749d9197a5fc3fe4cbd7320cf685e5306', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_b821a', table='compliance_proofpicture', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='review',
                index=models.Index(fields=['state', 'due_at', 'id'], name='review_by_target'),
            ),
            migrations.AddIndex(
                model_name='review',
                index=models.Index(fields=['state', '-risk_points', 'due_at', 'id'], name='review_by_risk'),
            ),
            migrations.AddConstraint(
                model_name='review',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), models.Q(('by__isnull', False), ('second_by__isnull', False), models.Q(('by', models.F('second_by')), _negated=True)), _connector='OR'), name='approved_by_two_different_people'),
            ),
            migrations.AddConstraint(
                model_name='review',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('by', models.F('submitted_by')), _negated=True), models.Q(('second_by', models.F('submitted_by')), _negated=True)), name='nobody_reviews_their_own_submission'),
            ),
            migrations.AddConstraint(
                model_name='review',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['changes_requested', 'refused']), _negated=True), models.Q(models.Q(('reason', ''), _negated=True), models.Q(('reason_code', ''), _negated=True)), _connector='OR'), name='sent_back_with_a_reason'),
            ),
            migrations.AddConstraint(
                model_name='review',
                constraint=models.CheckConstraint(condition=models.Q(('stands_still_since', None), ('state__in', ['taken', 'seconded']), _connector='OR'), name='clock_stands_still_only_in_hand'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:taken,open:withdrawn,seconded:approved,seconded:changes_requested,seconded:refused,seconded:withdrawn,taken:changes_requested,taken:refused,taken:seconded,taken:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='c49c092e8dc3f836641faa602a2a5d6a03b429de', operation='UPDATE', pgid='pgtrigger_only_declared_moves_8118d', table='compliance_review', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'open\')', func="RAISE 'a row is born open, not %', NEW.state USING ERRCODE = 'check_violation';", hash='f96a89543e977d5b97658deba2cf8667f43bde4a', operation='INSERT', pgid='pgtrigger_born_in_first_state_9224b', table='compliance_review', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."version_id" IS DISTINCT FROM (NEW."version_id") OR OLD."submitted_by_id" IS DISTINCT FROM (NEW."submitted_by_id") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."target_hours" IS DISTINCT FROM (NEW."target_hours"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8e590f01a177c1ec3f213b6b0c9494c6b4003ffd', operation='UPDATE', pgid='pgtrigger_facts_never_change_0a812', table='compliance_review', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='no_member_reviews_their_own', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (\n                        SELECT FROM listings_version v JOIN listings_listing l ON l.id = v.listing_id\n                        JOIN marketplace_membership m ON m.organisation_id = l.seller_id\n                        WHERE v.id = NEW.version_id AND m.user_id IN (NEW.by_id, NEW.second_by_id)\n                    ) THEN\n                        RAISE 'a member of the seller cannot review its product' USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='187247f8c2ff38380bdfa280cc4c1ab1aabe7d76', operation='INSERT OR UPDATE', pgid='pgtrigger_no_member_reviews_their_own_61a2b', table='compliance_review', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='moved_by_decisions_that_are_kept', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IN (\'seconded\', \'approved\', \'changes_requested\', \'refused\', \'withdrawn\'))', constraint='CONSTRAINT', func="\n                    IF (CASE NEW.state WHEN 'approved' THEN 2 ELSE 1 END)\n                    > (\n                        SELECT count(*) FROM compliance_reviewdecision d WHERE d.review_id = NEW.id AND CASE NEW.state\n                            WHEN 'changes_requested' THEN d.act = 'request_changes'\n                            WHEN 'refused' THEN d.act = 'refuse'\n                            WHEN 'withdrawn' THEN d.act = 'take_back'\n                            ELSE d.act = 'approve' AND d.by_id IN (NEW.by_id, NEW.second_by_id) END\n                    ) THEN\n                        RAISE 'review % became % without the decisions that are kept', NEW.id, NEW.state\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='138c5ddb3e65bceed6c121ead1554f80a652593f', operation='UPDATE OF "state"', pgid='pgtrigger_moved_by_decisions_that_are_kept_1049a', table='compliance_review', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='approved_without_open_question', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'approved\')', constraint='CONSTRAINT', func="\n                    IF EXISTS (\n                        SELECT FROM compliance_reviewquestion q\n                        WHERE q.review_id = NEW.id AND q.answered_at IS NULL AND q.withdrawn_at IS NULL\n                    ) THEN\n                        RAISE 'review % was approved while a question waits', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='2a5476f6eaf1724104a00345ffb867c5e5fd4979', operation='UPDATE OF "state"', pgid='pgtrigger_approved_without_open_question_d1a4b', table='compliance_review', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='bc36acc8b651da360617d1781f5a73145fc05a0e', operation='DELETE', pgid='pgtrigger_never_deleted_191b9', table='compliance_review', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='review',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='c34be117bfc3208fa455ff4ea0998bb0d5b1d04b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_c5689', table='compliance_review', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='reviewdecision',
                constraint=models.UniqueConstraint(condition=models.Q(('act', 'approve')), fields=('review', 'by'), name='nobody_approves_a_review_twice'),
            ),
            migrations.AddConstraint(
                model_name='reviewdecision',
                constraint=models.UniqueConstraint(condition=models.Q(('act', 'approve'), _negated=True), fields=('review',), name='a_review_is_sent_or_taken_back_once'),
            ),
            migrations.AddConstraint(
                model_name='reviewdecision',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('act__in', ['request_changes', 'refuse']), _negated=True), models.Q(models.Q(('reason', ''), _negated=True), models.Q(('reason_code', ''), _negated=True)), _connector='OR'), name='sent_back_in_words'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewdecision',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='da8a35ff5e3147d6561cadf6ac7638c476f170f7', operation='UPDATE', pgid='pgtrigger_never_updated_76c98', table='compliance_reviewdecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewdecision',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3e4a08139be212c451fb8d7070163fcf64b4cbdb', operation='DELETE', pgid='pgtrigger_never_deleted_c5827', table='compliance_reviewdecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewdecision',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='25df275af8387c18740750845c87b611458db306', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_1f669', table='compliance_reviewdecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewdecision',
                trigger=pgtrigger.compiler.Trigger(name='decided_by_a_stranger_to_the_seller', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF (NEW.act = 'take_back') <> (\n    EXISTS (\n        SELECT FROM compliance_review r JOIN listings_version v ON v.id = r.version_id\n        JOIN listings_listing l ON l.id = v.listing_id\n        JOIN marketplace_membership m ON m.organisation_id = l.seller_id\n        WHERE r.id = NEW.review_id AND m.user_id = NEW.by_id\n    )\n) THEN\n                        RAISE 'a review is decided by strangers to the seller, and taken back by its members'\n                        USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.act <> 'take_back' AND EXISTS (\n                        SELECT FROM compliance_review WHERE id = NEW.review_id AND submitted_by_id = NEW.by_id\n                    ) THEN\n                        RAISE 'nobody decides on their own submission' USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='7632127e3ffc09b1d24b68aed800490c0afc9ce6', operation='INSERT', pgid='pgtrigger_decided_by_a_stranger_to_the_seller_b5d85', table='compliance_reviewdecision', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='reviewnote',
                constraint=models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='a_note_has_words'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewnote',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='491379b7449e19e1c83130eed87c46bb1db25a52', operation='UPDATE', pgid='pgtrigger_never_updated_f3031', table='compliance_reviewnote', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewnote',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='7d466a2789f5a5c7a32a56a8e65caf8bee66bc63', operation='DELETE', pgid='pgtrigger_never_deleted_d96ad', table='compliance_reviewnote', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewnote',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='ca5869710116aa033e797f15de02a2c4852a8e5c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_da521', table='compliance_reviewnote', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewnote',
                trigger=pgtrigger.compiler.Trigger(name='no_member_of_the_seller_notes', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF \n    EXISTS (\n        SELECT FROM compliance_review r JOIN listings_version v ON v.id = r.version_id\n        JOIN listings_listing l ON l.id = v.listing_id\n        JOIN marketplace_membership m ON m.organisation_id = l.seller_id\n        WHERE r.id = NEW.review_id AND m.user_id = NEW.by_id\n    )\n THEN\n                        RAISE 'a member of the seller writes no note on its review' USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='18546ab8da6623c6a8228e843257923b63cd486e', operation='INSERT', pgid='pgtrigger_no_member_of_the_seller_notes_65a9a', table='compliance_reviewnote', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='reviewquestion',
                index=models.Index(condition=models.Q(('answered_at', None), ('withdrawn_at', None)), fields=['review'], name='question_that_waits'),
            ),
            migrations.AddConstraint(
                model_name='reviewquestion',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('answered_by__isnull', True)), models.Q(('answered_at__isnull', False), ('answered_by__isnull', False)), _connector='OR'), name='answered_question_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='reviewquestion',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False)), _connector='OR'), name='withdrawn_question_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='reviewquestion',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at', None)), models.Q(('answered_at__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='answered_in_words'),
            ),
            migrations.AddConstraint(
                model_name='reviewquestion',
                constraint=models.CheckConstraint(condition=models.Q(('answered_at', None), ('withdrawn_at', None), _connector='OR'), name='answered_or_withdrawn_not_both'),
            ),
            migrations.AddConstraint(
                model_name='reviewquestion',
                constraint=models.CheckConstraint(condition=models.Q(('question', ''), _negated=True), name='a_question_has_words'),
            ),
            migrations.AddConstraint(
                model_name='reviewquestion',
                constraint=models.CheckConstraint(condition=models.Q(('answered_by', models.F('asked_by')), _negated=True), name='nobody_answers_their_own_question'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewquestion',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."review_id" IS DISTINCT FROM (NEW."review_id") OR OLD."field" IS DISTINCT FROM (NEW."field") OR OLD."question" IS DISTINCT FROM (NEW."question") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a4adaf28df25a6db6d2b1d97259c2b809d237a57', operation='UPDATE', pgid='pgtrigger_facts_never_change_a0b7c', table='compliance_reviewquestion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewquestion',
                trigger=pgtrigger.compiler.Trigger(name='closed_question_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."answered_at" IS NOT NULL OR OLD."withdrawn_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='25265520b9b073a35c8366a5e08272cad97375b0', operation='UPDATE', pgid='pgtrigger_closed_question_never_changes_87f7d', table='compliance_reviewquestion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewquestion',
                trigger=pgtrigger.compiler.Trigger(name='asked_of_a_review_in_hand', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM compliance_review WHERE id = NEW.review_id AND state IN ('taken', 'seconded')\n                    ) THEN\n                        RAISE 'review % is not in hand', NEW.review_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='c6722d1fab99cef318e700cacf34686cc6983d16', operation='INSERT', pgid='pgtrigger_asked_of_a_review_in_hand_edce5', table='compliance_reviewquestion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewquestion',
                trigger=pgtrigger.compiler.Trigger(name='asked_by_strangers_answered_by_members', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF TG_OP = 'INSERT' AND \n    EXISTS (\n        SELECT FROM compliance_review r JOIN listings_version v ON v.id = r.version_id\n        JOIN listings_listing l ON l.id = v.listing_id\n        JOIN marketplace_membership m ON m.organisation_id = l.seller_id\n        WHERE r.id = NEW.review_id AND m.user_id = NEW.asked_by_id\n    )\n THEN\n                        RAISE 'a member of the seller asks nothing at its review' USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.answered_by_id IS NOT NULL AND NOT \n    EXISTS (\n        SELECT FROM compliance_review r JOIN listings_version v ON v.id = r.version_id\n        JOIN listings_listing l ON l.id = v.listing_id\n        JOIN marketplace_membership m ON m.organisation_id = l.seller_id\n        WHERE r.id = NEW.review_id AND m.user_id = NEW.answered_by_id\n    )\n\n                    THEN\n                        RAISE 'only members of the seller answer' USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='c133bdf78f40f3d526253006aa3c49bcfb15b71c', operation='INSERT OR UPDATE', pgid='pgtrigger_asked_by_strangers_answered_by_members_38037', table='compliance_reviewquestion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewquestion',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='8bb79740bb7afdd1aef654cebb18a4e19d848f10', operation='DELETE', pgid='pgtrigger_never_deleted_d99f7', table='compliance_reviewquestion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewquestion',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='2c643101f898a8019acb193fe0ac58e91199e05f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_54109', table='compliance_reviewquestion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='rulesacceptance',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='345da7d9f9e2fc4fd47f25ebf73d1e4d1b588f89', operation='UPDATE', pgid='pgtrigger_never_updated_dbfc7', table='compliance_rulesacceptance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='rulesacceptance',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='cd2c2ab0d8ed43aa94cd55163561df90d528a205', operation='DELETE', pgid='pgtrigger_never_deleted_8f610', table='compliance_rulesacceptance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='rulesacceptance',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='c0e1c42762dce88d13a8cc84ec3836397dd30844', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_1aa7d', table='compliance_rulesacceptance', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='tierdecision',
                constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='tier_is_decided_for_a_reason'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tierdecision',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='88cd80cae641c444012d48b17a66bcbea3eca886', operation='UPDATE', pgid='pgtrigger_never_updated_d768b', table='compliance_tierdecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tierdecision',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='a25ef8646363830d00ac3df1842d3bce95b6c771', operation='DELETE', pgid='pgtrigger_never_deleted_d23b3', table='compliance_tierdecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tierdecision',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='2bd43601cf46a70bfa3bab8f0a6867e8d5fbc462', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_29c90', table='compliance_tierdecision', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='verification',
                constraint=models.UniqueConstraint(condition=models.Q(('number_claim', ''), _negated=True), fields=('number_claim',), name='one_member_per_registration_number'),
            ),
            migrations.AddConstraint(
                model_name='verification',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['verified', 'suspended', 'expelled']), _negated=True), models.Q(('number_claim', ''), _negated=True), _connector='OR'), name='members_hold_their_registration_number'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='verification',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{applied:more_requested,applied:refused,applied:verified,more_requested:applied,more_requested:refused,refused:applied,suspended:expelled,suspended:verified,verified:expelled,verified:suspended}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='d0a7e5c08658a41140d06d24b27072b8937a5fe8', operation='UPDATE', pgid='pgtrigger_only_declared_moves_3585f', table='compliance_verification', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='verification',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'applied\')', func="RAISE 'a row is born applied, not %', NEW.state USING ERRCODE = 'check_violation';", hash='3df31a00d7f0f5865169f7409953e8967761978f', operation='INSERT', pgid='pgtrigger_born_in_first_state_ddb57', table='compliance_verification', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='verification',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d00d0b1cbc0d04aa13eb1d9eb79d37dee106024f', operation='UPDATE', pgid='pgtrigger_facts_never_change_b878f', table='compliance_verification', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='verification',
                trigger=pgtrigger.compiler.Trigger(name='verified_or_expelled_by_two_strangers', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'expelled\' OR (NEW."state" = \'verified\' AND OLD."state" = \'applied\'))', constraint='CONSTRAINT', func="\n                    IF NOT EXISTS (\n                        SELECT FROM compliance_decision d WHERE d.verification_id = NEW.id\n                        AND d.act = CASE NEW.state WHEN 'expelled' THEN 'expel' ELSE 'approve' END\n                        AND d.decided_at >= NEW.changed_at AND d.second_by_id IS NOT NULL AND d.second_by_id <> d.by_id\n                    ) THEN\n                        RAISE 'verification % became % without the decision of two persons', NEW.id, NEW.state\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='0fbda18ca125e2b3a0ea5474766e34f971b8f26c', operation='UPDATE OF "state"', pgid='pgtrigger_verified_or_expelled_by_two_strangers_a38f7', table='compliance_verification', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='verification',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='38d2533214bcedd0156a96bd1fe266c1cc207c14', operation='DELETE', pgid='pgtrigger_never_deleted_af7e7', table='compliance_verification', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='verification',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='77b089d02099720b8f7e0182828bb1aaf54602a8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_96aa2', table='compliance_verification', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='decision',
                constraint=models.CheckConstraint(condition=models.Q(('second_by', None), models.Q(('second_by', models.F('by')), _negated=True), _connector='OR'), name='decided_by_two_different_people'),
            ),
            migrations.AddConstraint(
                model_name='decision',
                constraint=models.CheckConstraint(condition=models.Q(('decided_at', None), models.Q(('act__in', ['approve', 'expel']), _negated=True), ('second_by__isnull', False), _connector='OR'), name='approving_and_expelling_take_two'),
            ),
            migrations.AddConstraint(
                model_name='decision',
                constraint=models.UniqueConstraint(condition=models.Q(('decided_at', None), ('dropped_at', None)), fields=('verification',), name='one_pending_decision_at_a_time'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='decision',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."verification_id" IS DISTINCT FROM (NEW."verification_id") OR OLD."act" IS DISTINCT FROM (NEW."act") OR OLD."reason_code" IS DISTINCT FROM (NEW."reason_code") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='be975c4d299b2b0689b143cf664622fbffdbb0e2', operation='UPDATE', pgid='pgtrigger_facts_never_change_68de7', table='compliance_decision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='decision',
                trigger=pgtrigger.compiler.Trigger(name='no_member_decides_on_their_own', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (\n                        SELECT FROM marketplace_membership m\n                        JOIN compliance_verification v ON v.organisation_id = m.organisation_id\n                        WHERE v.id = NEW.verification_id AND m.user_id IN (NEW.by_id, NEW.second_by_id)\n                    ) THEN\n                        RAISE 'a member of the organisation cannot decide on it' USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='bc6fee9d0f93f85cf06f60a16bf821f7330125ad', operation='INSERT OR UPDATE', pgid='pgtrigger_no_member_decides_on_their_own_919e0', table='compliance_decision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='decision',
                trigger=pgtrigger.compiler.Trigger(name='decided_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."decided_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='15f5388a8db0c7eabc5ddb7b4a47d4b2f5eb82b1', operation='UPDATE', pgid='pgtrigger_decided_never_changes_e3692', table='compliance_decision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='decision',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='86586ec1e4dcb0892bedb3a4f27d45213cfcd5cc', operation='DELETE', pgid='pgtrigger_never_deleted_36a46', table='compliance_decision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='decision',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='97efe28c4029c3d34ae8bdcd732c5ae8c8b91775', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_e27c2', table='compliance_decision', when='BEFORE')),
            ),
        ]),
    ]
