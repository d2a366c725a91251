"""Every table of the app, and what the database refuses of its rows."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import marketplace.clock
import marketplace.models
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='Annotation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(choices=[('suspended', 'The product was suspended'), ('resumed', 'The product is on sale again'), ('withdrawn', 'The product was withdrawn'), ('superseded', 'A later version of the product is registered'), ('objection_upheld', 'An objection to this registration was upheld; the product is not listed')], max_length=20)),
                    ('noted_at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'note on a paper',
                    'verbose_name_plural': 'notes on papers',
                    'ordering': ['pk'],
                },
            ),
            migrations.CreateModel(
                name='Event',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=60)),
                    ('subject_kind', models.CharField(max_length=30)),
                    ('subject_id', models.BigIntegerField()),
                    ('facts', models.JSONField(null=True)),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'event',
                    'verbose_name_plural': 'events',
                    'ordering': ['pk'],
                },
            ),
            migrations.CreateModel(
                name='Follower',
                fields=[
                    ('name', models.CharField(max_length=60, primary_key=True, serialize=False)),
                    ('position', models.BigIntegerField(default=-1)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                ],
                options={
                    'verbose_name': 'follower of the journal',
                    'verbose_name_plural': 'followers of the journal',
                },
            ),
            migrations.CreateModel(
                name='Membership',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('owner', 'Owner'), ('trader', 'Trader'), ('data_steward', 'Data steward'), ('finance', 'Finance'), ('compliance', 'Compliance'), ('viewer', 'Viewer')], max_length=20)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'membership',
                    'verbose_name_plural': 'memberships',
                },
            ),
            migrations.CreateModel(
                name='Organisation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=marketplace.models.new_public_id, editable=False, max_length=20, unique=True)),
                    ('kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('supplier', 'Supplier'), ('buyer', 'Buyer'), ('broker', 'Broker'), ('assessor', 'Assessor'), ('delivery_provider', 'Delivery provider'), ('joint', 'Joint merchant'), ('other', 'Other')], max_length=20), size=None, verbose_name='kinds')),
                    ('name', models.CharField(max_length=200, verbose_name='name in its own script')),
                    ('latin_name', models.CharField(max_length=200, verbose_name='name in Latin script')),
                    ('country', models.CharField(max_length=2, verbose_name='country or territory (ISO 3166)')),
                    ('region', models.CharField(max_length=40, verbose_name='region')),
                    ('number_kind', models.CharField(choices=[('uscc', 'Unified social credit code (mainland)'), ('hk_br', 'Business registration number (Hong Kong)'), ('lei', 'Legal entity identifier'), ('other', 'Other register')], max_length=10, verbose_name='kind of registration number')),
                    ('registration_number', models.CharField(max_length=40, verbose_name='registration number')),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'organisation',
                    'verbose_name_plural': 'organisations',
                },
            ),
            migrations.CreateModel(
                name='Paper',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.CharField(max_length=40, unique=True)),
                    ('kind', models.CharField(choices=[('registration_certificate', 'Registration certificate'), ('listing_certificate', 'Listing certificate'), ('trade_contract', 'Trade contract'), ('delivery_record', 'Delivery record'), ('acceptance', 'Acceptance'), ('settlement_statement', 'Settlement statement'), ('trade_certificate', 'Trade certificate')], max_length=30)),
                    ('subject_kind', models.CharField(max_length=30)),
                    ('subject_id', models.BigIntegerField()),
                    ('title', models.CharField(max_length=300)),
                    ('record', models.JSONField()),
                    ('digest', models.CharField(max_length=80)),
                    ('check_code', models.CharField(max_length=20)),
                    ('is_sandbox', models.BooleanField(default=False)),
                    ('issued_at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'paper',
                    'verbose_name_plural': 'papers',
                },
            ),
            migrations.CreateModel(
                name='Revocation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reason', models.TextField()),
                    ('asked_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'revocation',
                    'verbose_name_plural': 'revocations',
                },
            ),
            migrations.CreateModel(
                name='Seal',
                fields=[
                    ('position', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('leaf_hash', models.BinaryField(max_length=32)),
                ],
                options={
                    'verbose_name': 'seal of an event',
                    'verbose_name_plural': 'seals of events',
                },
            ),
            migrations.CreateModel(
                name='TreeHead',
                fields=[
                    ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('root', models.BinaryField(max_length=32)),
                    ('frontier', models.JSONField()),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'head of the journal',
                    'verbose_name_plural': 'heads of the journal',
                },
            ),
            migrations.CreateModel(
                name='User',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('password', models.CharField(max_length=128, verbose_name='password')),
                    ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                    ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail')),
                    ('name', models.CharField(blank=True, max_length=120, verbose_name='name')),
                    ('is_active', models.BooleanField(default=True)),
                    ('is_staff', models.BooleanField(default=False)),
                    ('staff_roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('vetting', 'Vetting'), ('review', 'Review'), ('payments', 'Payments'), ('disputes', 'Disputes'), ('clearing', 'Clearing'), ('audit', 'Audit'), ('support', 'Support'), ('administrator', 'Administrator')], max_length=20), blank=True, default=list, size=None)),
                    ('date_joined', models.DateTimeField(default=marketplace.clock.now)),
                    ('language', models.CharField(blank=True, default='', max_length=10, verbose_name='language')),
                ],
                options={
                    'verbose_name': 'person',
                    'verbose_name_plural': 'people',
                    'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='email_is_unique_whatever_its_capitals'), models.CheckConstraint(condition=models.Q(('is_staff', True), ('staff_roles', []), _connector='OR'), name='only_staff_have_staff_roles')],
                },
            ),
            migrations.CreateModel(
                name='AccessToken',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=80)),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None)),
                    ('digest', models.CharField(max_length=80, unique=True)),
                    ('prefix', models.CharField(max_length=12)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('lapses_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tokens', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'access token',
                    'verbose_name_plural': 'access tokens',
                },
            ),
            migrations.CreateModel(
                name='Salt',
                fields=[
                    ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='marketplace.event')),
                    ('value', models.BinaryField(max_length=32)),
                ],
                options={
                    'verbose_name': 'salt',
                    'verbose_name_plural': 'salts',
                },
            ),
            migrations.CreateModel(
                name='Unsealed',
                fields=[
                    ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='marketplace.event')),
                ],
                options={
                    'verbose_name': 'event without a seal',
                    'verbose_name_plural': 'events without a seal',
                },
            ),
        ]),
        Together([
            migrations.AddField(
                model_name='event',
                name='by',
                field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
        ]),
        Together([
            migrations.CreateModel(
                name='Invitation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('email', models.EmailField(max_length=254)),
                    ('role', models.CharField(choices=[('owner', 'Owner'), ('trader', 'Trader'), ('data_steward', 'Data steward'), ('finance', 'Finance'), ('compliance', 'Compliance'), ('viewer', 'Viewer')], max_length=20)),
                    ('secret_digest', models.CharField(max_length=80, unique=True)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('lapses_at', models.DateTimeField()),
                    ('accepted_at', models.DateTimeField(blank=True, null=True)),
                    ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                    ('accepted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'invitation',
                    'verbose_name_plural': 'invitations',
                },
            ),
            migrations.CreateModel(
                name='JointMember',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('named_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('consented_at', models.DateTimeField(blank=True, null=True)),
                    ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                    ('withdrawal_reason', models.TextField(blank=True, default='')),
                    ('consented_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('named_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'member of a joint merchant',
                    'verbose_name_plural': 'members of joint merchants',
                    'ordering': ['pk'],
                },
            ),
            migrations.CreateModel(
                name='KeyedCommand',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=200)),
                    ('request_digest', models.CharField(max_length=80)),
                    ('answer', models.JSONField(null=True)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'keyed request',
                    'verbose_name_plural': 'keyed requests',
                },
            ),
            migrations.CreateModel(
                name='Letter',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('to', models.EmailField(max_length=254)),
                    ('subject', models.CharField(max_length=200)),
                    ('body', models.TextField()),
                    ('written_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'letter',
                    'verbose_name_plural': 'letters',
                    'indexes': [models.Index(condition=models.Q(('sent_at', None)), fields=['next_try_at'], name='letter_unsent')],
                },
            ),
        ]),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='letter',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."to" IS DISTINCT FROM (NEW."to") OR OLD."subject" IS DISTINCT FROM (NEW."subject") OR OLD."body" IS DISTINCT FROM (NEW."body") OR OLD."written_at" IS DISTINCT FROM (NEW."written_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d76f94a59fc544bb1b8958249a7b9cd4d5f7da3f', operation='UPDATE', pgid='pgtrigger_facts_never_change_ca733', table='marketplace_letter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='letter',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f5fb4b4de17c5d56d4114d5baf57a89d27fea2e0', operation='DELETE', pgid='pgtrigger_never_deleted_7ac86', table='marketplace_letter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='letter',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='10e1b0a7fe02cc97e11418c5f68ccfbfb2380982', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_fe873', table='marketplace_letter', when='BEFORE')),
            ),
            migrations.AddField(
                model_name='membership',
                name='user',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='organisation',
                name='created_by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='membership',
                name='organisation',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='keyedcommand',
                name='organisation',
                field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='jointmember',
                name='joint',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='joint_members', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='jointmember',
                name='member',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='joint_merchants', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='invitation',
                name='organisation',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='accesstoken',
                name='organisation',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tokens', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='paper',
                name='readers',
                field=models.ManyToManyField(related_name='papers', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='annotation',
                name='paper',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='annotations', to='marketplace.paper'),
            ),
            migrations.AddField(
                model_name='revocation',
                name='by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='revocation',
                name='paper',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='revocation', to='marketplace.paper'),
            ),
            migrations.AddField(
                model_name='revocation',
                name='second_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='seal',
                name='event',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='seal', to='marketplace.event'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='treehead',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='542fa4b70d813d240bbb88ebde24a9dad5dda495', operation='UPDATE', pgid='pgtrigger_never_updated_c077e', table='marketplace_treehead', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='treehead',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='bd85418027635fcc8722f378bab83667443d1904', operation='DELETE', pgid='pgtrigger_never_deleted_5d6b3', table='marketplace_treehead', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='treehead',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='2e4f2c75237dc50967bc095b68f781e7c89df0df', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_90e7e', table='marketplace_treehead', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='salt',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."event_id" IS DISTINCT FROM (NEW."event_id") OR OLD."value" IS DISTINCT FROM (NEW."value"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='22c1986ac4d801a67a2407065ad71da578d0869e', operation='UPDATE', pgid='pgtrigger_facts_never_change_7644f', table='marketplace_salt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='salt',
                trigger=pgtrigger.compiler.Trigger(name='salt_goes_with_its_facts', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n                    IF EXISTS (SELECT FROM marketplace_event WHERE id = OLD.event_id AND facts IS NOT NULL) THEN\n                        RAISE 'the salt of event % goes only with its facts', OLD.event_id\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='b55c473843ebc4f865ea6f1d77df15b6f51ee98e', operation='DELETE', pgid='pgtrigger_salt_goes_with_its_facts_ad62f', table='marketplace_salt', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='salt',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='f543c7268badc2b03ffeac9d5b77af955b81cb90', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_c22ad', table='marketplace_salt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unsealed',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."event_id" IS DISTINCT FROM (NEW."event_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4688827215fa63d431580b1466a92003f6953a82', operation='UPDATE', pgid='pgtrigger_facts_never_change_54fb0', table='marketplace_unsealed', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unsealed',
                trigger=pgtrigger.compiler.Trigger(name='event_leaves_the_queue_sealed', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n                    IF NOT EXISTS (SELECT FROM marketplace_seal WHERE event_id = OLD.event_id) THEN\n                        RAISE 'event % leaves the queue only with its seal', OLD.event_id\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='8ec4e62e5164daa1fbbe9cf85c6a428be8966399', operation='DELETE', pgid='pgtrigger_event_leaves_the_queue_sealed_6083d', table='marketplace_unsealed', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unsealed',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='bd810b5367b51ad1fe7d2e96badefa1652d6bcbd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_17993', table='marketplace_unsealed', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='event',
                index=models.Index(fields=['subject_kind', 'subject_id', 'id'], name='marketplace_subject_83d74d_idx'),
            ),
            migrations.AddIndex(
                model_name='event',
                index=models.Index(fields=['kind', 'id'], name='marketplace_kind_f9b153_idx'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='event',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."subject_kind" IS DISTINCT FROM (NEW."subject_kind") OR OLD."subject_id" IS DISTINCT FROM (NEW."subject_id") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."at" IS DISTINCT FROM (NEW."at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='fd4d7159ac202abb72d2a519d7d804471078cce3', operation='UPDATE', pgid='pgtrigger_facts_never_change_01a3e', table='marketplace_event', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='event',
                trigger=pgtrigger.compiler.Trigger(name='event_joins_the_queue', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO marketplace_unsealed (event_id) SELECT id FROM told; RETURN NULL;', hash='353bac96e5e51fc348e9dd3b37985f0210eeddd4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_event_joins_the_queue_4e0e5', referencing='REFERENCING NEW TABLE AS told ', table='marketplace_event', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='event',
                trigger=pgtrigger.compiler.Trigger(name='facts_are_only_forgotten', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."facts" IS NOT NULL)', func="RAISE 'event % can be forgotten, not changed', OLD.id USING ERRCODE = 'check_violation';", hash='cd80103c70f57ab2cdcf4861b7dad33b122e212e', operation='UPDATE', pgid='pgtrigger_facts_are_only_forgotten_e82f8', table='marketplace_event', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='event',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='7071f6afd398f70b60674ba1d6bd01113c7e3bf3', operation='DELETE', pgid='pgtrigger_never_deleted_aa9f7', table='marketplace_event', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='event',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='0203dbbaae9218c7466980cb24fc69c587994fa2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_c883e', table='marketplace_event', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='organisation',
                index=models.Index(fields=['number_kind', 'registration_number'], name='marketplace_number__efdbd7_idx'),
            ),
            migrations.AddConstraint(
                model_name='organisation',
                constraint=models.CheckConstraint(condition=models.Q(('kinds__len__gte', 1)), name='organisation_has_a_kind'),
            ),
            migrations.AddConstraint(
                model_name='organisation',
                constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='country_is_two_capitals'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='organisation',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b5261e53e49dfa30753aa65f30e9033a12bf108e', operation='UPDATE', pgid='pgtrigger_facts_never_change_bece3', table='marketplace_organisation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='organisation',
                trigger=pgtrigger.compiler.Trigger(name='joint_for_life_or_never', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF ('joint' = ANY(OLD.kinds)) <> ('joint' = ANY(NEW.kinds)) THEN\n                        RAISE 'an organisation is a joint merchant for life or never' USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='35496b752a2c65ce579049d897eefc977e32a611', operation='UPDATE OF "kinds"', pgid='pgtrigger_joint_for_life_or_never_25d01', table='marketplace_organisation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='organisation',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='acce14c1362e443e472a85ff344181f787d0240b', operation='DELETE', pgid='pgtrigger_never_deleted_ff3bc', table='marketplace_organisation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='organisation',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='15daf4447789508d58f05cc2d01746d16ee69bae', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_bb560', table='marketplace_organisation', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='membership',
                constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('user', 'organisation'), name='one_open_membership_per_person'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='membership',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."user_id" IS DISTINCT FROM (NEW."user_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ae7416e6c0c8ed066989d41391583e00e1db1251', operation='UPDATE', pgid='pgtrigger_facts_never_change_52f01', table='marketplace_membership', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='membership',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='7f0d2032ae4a463f0ee772a8818ec880988246b2', operation='DELETE', pgid='pgtrigger_never_deleted_fce65', table='marketplace_membership', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='membership',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='d64a6b37c16b38a78c5d552caeced87f13ced9e1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_78895', table='marketplace_membership', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='keyedcommand',
                constraint=models.UniqueConstraint(fields=('user', 'organisation', 'key'), name='one_command_per_key', nulls_distinct=False),
            ),
            migrations.AddConstraint(
                model_name='jointmember',
                constraint=models.CheckConstraint(condition=models.Q(('joint', models.F('member')), _negated=True), name='joint_merchant_is_not_its_own_member'),
            ),
            migrations.AddConstraint(
                model_name='jointmember',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('consented_at__isnull', True), ('consented_by__isnull', True)), models.Q(('consented_at__isnull', False), ('consented_by__isnull', False)), _connector='OR'), name='joint_consent_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='jointmember',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False)), _connector='OR'), name='joint_withdrawal_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='jointmember',
                constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at', None)), fields=('joint', 'member'), name='named_once_in_a_joint_merchant'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='jointmember',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."joint_id" IS DISTINCT FROM (NEW."joint_id") OR OLD."member_id" IS DISTINCT FROM (NEW."member_id") OR OLD."named_by_id" IS DISTINCT FROM (NEW."named_by_id") OR OLD."named_at" IS DISTINCT FROM (NEW."named_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ead0bc58e06aa77fc31f5cfaca78c7962764d560', operation='UPDATE', pgid='pgtrigger_facts_never_change_d7abb', table='marketplace_jointmember', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='jointmember',
                trigger=pgtrigger.compiler.Trigger(name='consent_and_withdrawal_are_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."withdrawn_at" IS NOT NULL OR (OLD."consented_at" IS NOT NULL AND OLD."consented_at" IS DISTINCT FROM (NEW."consented_at")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='cf9c8ee9daaba74ccda32ef332abe8899a5dcd10', operation='UPDATE', pgid='pgtrigger_consent_and_withdrawal_are_final_78157', table='marketplace_jointmember', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='jointmember',
                trigger=pgtrigger.compiler.Trigger(name='joint_merchants_have_single_members', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM marketplace_organisation WHERE id = NEW.joint_id AND 'joint' = ANY(kinds)\n                    ) OR EXISTS (\n                        SELECT FROM marketplace_organisation WHERE id = NEW.member_id AND 'joint' = ANY(kinds)\n                    ) THEN\n                        RAISE 'a joint merchant has members that are none themselves' USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='cd93975e1e54480e0dd3e9d84efea35bee571aba', operation='INSERT', pgid='pgtrigger_joint_merchants_have_single_members_3d091', table='marketplace_jointmember', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='jointmember',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f1c7e708a7d94ea22ab98503b66fa623cb9ed5f4', operation='DELETE', pgid='pgtrigger_never_deleted_7c94a', table='marketplace_jointmember', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='jointmember',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='8964a624cd3c3d380afdf2f20edebf0e82d58444', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_0be27', table='marketplace_jointmember', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='invitation',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('accepted_at__isnull', True), ('accepted_by__isnull', True)), models.Q(('accepted_at__isnull', False), ('accepted_by__isnull', False)), _connector='OR'), name='accepted_invitation_says_by_whom'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invitation',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."secret_digest" IS DISTINCT FROM (NEW."secret_digest") OR OLD."invited_by_id" IS DISTINCT FROM (NEW."invited_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='01d4ee5653c593c3baa77635a486b4d839f6b413', operation='UPDATE', pgid='pgtrigger_facts_never_change_c1a7e', table='marketplace_invitation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='accesstoken',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."user_id" IS DISTINCT FROM (NEW."user_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."scopes" IS DISTINCT FROM (NEW."scopes") OR OLD."digest" IS DISTINCT FROM (NEW."digest") OR OLD."prefix" IS DISTINCT FROM (NEW."prefix"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='93ea710cc347232b303a55bdaa71d1d9586800ef', operation='UPDATE', pgid='pgtrigger_facts_never_change_e01d8', table='marketplace_accesstoken', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='paper',
                constraint=models.UniqueConstraint(fields=('kind', 'subject_kind', 'subject_id'), name='one_paper_of_a_kind'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='paper',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='81b1649e47593c29e1b2d4213e846f488e614c8a', operation='UPDATE', pgid='pgtrigger_never_updated_3c4f9', table='marketplace_paper', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='paper',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='28228c81cd6ea3609bb5357d3e9458cbe3e4233a', operation='DELETE', pgid='pgtrigger_never_deleted_47922', table='marketplace_paper', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='paper',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='b940a4c89b3092da709e340c249e44bd45d93a02', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_4bdfc', table='marketplace_paper', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6548eb4eae0103d9efc9c540349f434c243709d2', operation='UPDATE', pgid='pgtrigger_never_updated_2a0d4', table='marketplace_annotation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='397b2ef21e9bd3f7855d11dacb972c4cddb879f9', operation='DELETE', pgid='pgtrigger_never_deleted_6cd49', table='marketplace_annotation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='7c8eff2bdc23807559616d41f40bbc8af30f2504', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_6d921', table='marketplace_annotation', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='revocation',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('revoked_at__isnull', True), ('second_by__isnull', True)), models.Q(('revoked_at__isnull', False), ('second_by__isnull', False)), _connector='OR'), name='revoked_by_a_second_person'),
            ),
            migrations.AddConstraint(
                model_name='revocation',
                constraint=models.CheckConstraint(condition=models.Q(('second_by', models.F('by')), _negated=True), name='revoked_by_two_different_people'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revocation',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."paper_id" IS DISTINCT FROM (NEW."paper_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='963f590da0a6ce3fe68f6c4fb4d732ddc91eb36f', operation='UPDATE', pgid='pgtrigger_facts_never_change_7fafe', table='marketplace_revocation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revocation',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='46486ace54813e01c780962c361cedfa9baa3a77', operation='DELETE', pgid='pgtrigger_never_deleted_c5083', table='marketplace_revocation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revocation',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='69d437ac89eb9093c52f2a74e9f36fc258a0b8cd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_70569', table='marketplace_revocation', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='seal',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='be868dc764b8243a3c4cccecb987d86d84137b9e', operation='UPDATE', pgid='pgtrigger_never_updated_271be', table='marketplace_seal', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='seal',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='74d8540f4af96c4f2a79f1f97357c982b50be543', operation='DELETE', pgid='pgtrigger_never_deleted_46995', table='marketplace_seal', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='seal',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='33537d5a856ea47fab136bb62153e81a3edc738f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_fe90f', table='marketplace_seal', when='BEFORE')),
            ),
        ]),
    ]
