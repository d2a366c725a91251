"""Every table of the app, and what the database refuses of its rows."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
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
        ('marketplace', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='CatalogueReading',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('read_at', models.DateTimeField(default=marketplace.clock.now, verbose_name='read')),
                    ('digest', models.CharField(max_length=80, verbose_name='digest')),
                    ('counts', models.JSONField(default=dict, verbose_name='counts')),
                ],
                options={
                    'verbose_name': 'reading of a catalogue',
                    'verbose_name_plural': 'readings of catalogues',
                },
            ),
            migrations.CreateModel(
                name='Listing',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=marketplace.models.new_public_id, editable=False, max_length=20, unique=True)),
                    ('product_type', models.CharField(choices=[('dataset', 'Dataset'), ('api', 'Data API'), ('report', 'Data report'), ('model', 'Model'), ('service', 'Data service')], max_length=10, verbose_name='type')),
                    ('state', models.CharField(choices=[('unlisted', 'Unlisted'), ('registered', 'Registered'), ('listed', 'Listed'), ('suspended', 'Suspended'), ('withdrawn', 'Withdrawn')], default='unlisted', max_length=12, verbose_name='state')),
                    ('search', django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('listed_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.TextField(blank=True)),
                ],
                options={
                    'verbose_name': 'listing',
                    'verbose_name_plural': 'listings',
                },
            ),
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
            migrations.CreateModel(
                name='Offer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=marketplace.models.new_public_id, editable=False, max_length=20, unique=True)),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('price_minor', models.BigIntegerField(verbose_name='price')),
                    ('currency', models.CharField(max_length=3, verbose_name='currency')),
                    ('terms', models.JSONField(verbose_name='licence terms')),
                    ('channel', models.CharField(default='files', max_length=20, verbose_name='delivery channel')),
                    ('inspection_days', models.PositiveSmallIntegerField(default=7, verbose_name='inspection days')),
                    ('jurisdiction', models.CharField(default='seat', max_length=20, verbose_name='governing law and forum')),
                    ('contract_version', models.CharField(blank=True, default='', max_length=10, verbose_name='licence contract')),
                    ('audience', models.CharField(choices=[('everyone', 'Every verified member'), ('named', 'Named buyers'), ('on_request', 'On request')], default='everyone', max_length=12, verbose_name='who may buy')),
                    ('licences_total', models.PositiveIntegerField(blank=True, null=True, verbose_name='licences for sale')),
                    ('licences_left', models.IntegerField(blank=True, null=True)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'offer',
                    'verbose_name_plural': 'offers',
                    'ordering': ['price_minor', 'pk'],
                },
            ),
            migrations.CreateModel(
                name='OfferBuyer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ],
                options={
                    'verbose_name': 'named buyer',
                    'verbose_name_plural': 'named buyers',
                },
            ),
            migrations.CreateModel(
                name='Profile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('state', models.CharField(choices=[('due', 'Waiting'), ('done', 'Done'), ('failed', 'Failed')], default='due', max_length=10)),
                    ('report', models.JSONField(null=True)),
                    ('quality', models.DecimalField(decimal_places=4, max_digits=5, null=True)),
                    ('error_code', models.CharField(blank=True, max_length=40)),
                    ('measured_at', models.DateTimeField(null=True)),
                    ('bytes_done', models.BigIntegerField(db_default=0, default=0)),
                ],
                options={
                    'verbose_name': 'profile',
                    'verbose_name_plural': 'profiles',
                },
            ),
            migrations.CreateModel(
                name='Quota',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('most_bytes', models.BigIntegerField(verbose_name='bytes')),
                    ('most_files', models.IntegerField(verbose_name='files')),
                    ('reason', models.TextField(verbose_name='reason')),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='Registration',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.CharField(max_length=40, unique=True)),
                    ('rights', models.JSONField()),
                    ('source_statement', models.TextField()),
                    ('release_digest', models.CharField(max_length=80)),
                    ('registered_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('objections_until', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'registration',
                    'verbose_name_plural': 'registrations',
                },
            ),
            migrations.CreateModel(
                name='Release',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('label', models.CharField(max_length=60, verbose_name='label')),
                    ('notes', models.TextField(blank=True, verbose_name='what changed')),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('sealed_at', models.DateTimeField(blank=True, null=True)),
                    ('digest', models.CharField(blank=True, max_length=80)),
                    ('size_bytes', models.BigIntegerField(default=0)),
                ],
                options={
                    'verbose_name': 'release',
                    'verbose_name_plural': 'releases',
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='ReleaseFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('path', models.CharField(max_length=300)),
                    ('size_bytes', models.BigIntegerField()),
                    ('sha256', models.CharField(max_length=64)),
                    ('stored_as', models.CharField(max_length=200, unique=True)),
                    ('media_type', models.CharField(default='application/octet-stream', max_length=100)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'file of a release',
                    'verbose_name_plural': 'files of releases',
                    'ordering': ['path'],
                },
            ),
            migrations.CreateModel(
                name='Upload',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('public_id', models.CharField(default=marketplace.models.new_public_id, editable=False, max_length=20, unique=True)),
                    ('path', models.CharField(max_length=300)),
                    ('size_bytes', models.BigIntegerField()),
                    ('received_bytes', models.BigIntegerField(default=0)),
                    ('expected_sha256', models.CharField(blank=True, max_length=64)),
                    ('state', models.CharField(choices=[('arriving', 'Arriving'), ('checking', 'Being checked'), ('refused', 'Refused'), ('quarantined', 'In quarantine')], db_default='arriving', default='arriving', max_length=12)),
                    ('part_bytes', models.BigIntegerField(db_default=0, default=0)),
                    ('begun_as', models.CharField(blank=True, db_default='', max_length=1024)),
                    ('sha256', models.CharField(blank=True, db_default='', max_length=64)),
                    ('checked_bytes', models.BigIntegerField(db_default=0, default=0)),
                    ('refusal_code', models.CharField(blank=True, db_default='', max_length=40)),
                    ('refusal', models.TextField(blank=True, db_default='')),
                    ('tries', models.IntegerField(db_default=0, default=0)),
                    ('next_try_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True, db_default='')),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('lapses_at', models.DateTimeField()),
                ],
                options={
                    'verbose_name': 'upload',
                    'verbose_name_plural': 'uploads',
                },
            ),
            migrations.CreateModel(
                name='Version',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('state', models.CharField(choices=[('draft', 'Draft'), ('submitted', 'Submitted'), ('in_review', 'In review'), ('approved', 'Approved'), ('changes_requested', 'Changes requested'), ('refused', 'Refused'), ('withdrawn', 'Taken back')], default='draft', max_length=20)),
                    ('titles', models.JSONField(default=dict)),
                    ('summaries', models.JSONField(default=dict)),
                    ('sector', models.CharField(blank=True, choices=[('transport', 'Transport and shipping'), ('weather', 'Weather and environment'), ('finance', 'Finance'), ('trade', 'International trade'), ('health', 'Health and medicine'), ('industry', 'Industry and manufacturing'), ('energy', 'Energy'), ('commerce', 'Commerce and consumption'), ('city', 'City and public services'), ('culture', 'Culture and education'), ('other', 'Other')], max_length=20, verbose_name='sector')),
                    ('coverage_time', models.CharField(blank=True, max_length=120, verbose_name='period covered')),
                    ('coverage_area', models.CharField(blank=True, max_length=120, verbose_name='area covered')),
                    ('coverage_population', models.CharField(blank=True, max_length=200, verbose_name='population covered')),
                    ('update_frequency', models.CharField(blank=True, choices=[('real_time', 'Real time'), ('daily', 'Daily'), ('weekly', 'Weekly'), ('monthly', 'Monthly'), ('quarterly', 'Quarterly'), ('yearly', 'Yearly'), ('irregular', 'Irregular'), ('historical', 'Historical, not updated')], max_length=12, verbose_name='update frequency')),
                    ('fields', models.JSONField(default=list, verbose_name='field dictionary')),
                    ('use_scenarios', models.TextField(blank=True, verbose_name='use scenarios')),
                    ('forbidden_uses', models.TextField(blank=True, verbose_name='forbidden uses')),
                    ('source_statement', models.TextField(blank=True, verbose_name='source statement')),
                    ('lawful_basis', models.CharField(blank=True, choices=[('self_produced', 'Produced by ourselves'), ('collected', 'Lawfully collected'), ('traded', 'Acquired by trade or licence'), ('open', 'Openly licensed'), ('authorised', 'Authorised operation of public data'), ('consent', 'Consent of the persons concerned')], max_length=20, verbose_name='lawful basis')),
                    ('rights', models.JSONField(default=dict, verbose_name='rights')),
                    ('classification', models.CharField(blank=True, choices=[('core', 'Core data'), ('important', 'Important data'), ('general_4', 'General data, grade 4'), ('general_3', 'General data, grade 3'), ('general_2', 'General data, grade 2'), ('general_1', 'General data, grade 1')], max_length=10, verbose_name='classification')),
                    ('has_personal_data', models.BooleanField(default=False, verbose_name='contains personal information')),
                    ('has_sensitive_data', models.BooleanField(default=False, verbose_name='contains sensitive personal information')),
                    ('persons_count', models.BigIntegerField(default=0, verbose_name='persons concerned')),
                    ('leaves_mainland', models.BooleanField(default=False, verbose_name='may be offered outside the mainland')),
                    ('support_contact', models.CharField(blank=True, max_length=200, verbose_name='support contact')),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('submitted_at', models.DateTimeField(blank=True, null=True)),
                    ('approved_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'version',
                    'verbose_name_plural': 'versions',
                    'ordering': ['-number'],
                },
            ),
            migrations.CreateModel(
                name='CatalogueEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=marketplace.models.new_public_id, editable=False, max_length=20, unique=True)),
                    ('source', models.CharField(max_length=200, verbose_name='source')),
                    ('exchange', models.CharField(max_length=200, verbose_name='exchange')),
                    ('identifier', models.CharField(max_length=200, verbose_name='identifier there')),
                    ('address', models.CharField(blank=True, max_length=2000, verbose_name='address there')),
                    ('title', models.CharField(max_length=500, verbose_name='title')),
                    ('summary', models.TextField(blank=True, verbose_name='summary')),
                    ('details', models.TextField(blank=True, verbose_name='details')),
                    ('merchant', models.CharField(blank=True, max_length=300, verbose_name='merchant, as given')),
                    ('category', models.CharField(blank=True, max_length=300, verbose_name='category, as given')),
                    ('kind', models.CharField(blank=True, max_length=100, verbose_name='type, as given')),
                    ('product_type', models.CharField(blank=True, choices=[('dataset', 'Dataset'), ('api', 'Data API'), ('report', 'Data report'), ('model', 'Model'), ('service', 'Data service')], max_length=10, verbose_name='type')),
                    ('sector', models.CharField(blank=True, choices=[('transport', 'Transport and shipping'), ('weather', 'Weather and environment'), ('finance', 'Finance'), ('trade', 'International trade'), ('health', 'Health and medicine'), ('industry', 'Industry and manufacturing'), ('energy', 'Energy'), ('commerce', 'Commerce and consumption'), ('city', 'City and public services'), ('culture', 'Culture and education'), ('other', 'Other')], max_length=20, verbose_name='sector')),
                    ('price', models.CharField(blank=True, max_length=200, verbose_name='price, as given')),
                    ('coverage', models.CharField(blank=True, max_length=1000, verbose_name='area covered')),
                    ('update_frequency', models.CharField(blank=True, max_length=100, verbose_name='update frequency')),
                    ('keywords', models.CharField(blank=True, max_length=500, verbose_name='keywords')),
                    ('digest', models.CharField(editable=False, max_length=64)),
                    ('search', django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                    ('gone_at', models.DateTimeField(blank=True, null=True, verbose_name='no longer seen since')),
                    ('withdrawn_at', models.DateTimeField(blank=True, null=True, verbose_name='withdrawn')),
                    ('withdrawal_reason', models.TextField(blank=True, verbose_name='why it was withdrawn')),
                    ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='withdrawn by')),
                    ('first_reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='listings.cataloguereading')),
                    ('last_reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='listings.cataloguereading')),
                ],
                options={
                    'verbose_name': 'catalogue entry',
                    'verbose_name_plural': 'catalogue entries',
                },
            ),
        ]),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='cataloguereading',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."read_at" IS DISTINCT FROM (NEW."read_at") OR OLD."digest" IS DISTINCT FROM (NEW."digest"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='0adaa5bca133e21f3083b41df2dfd815bcea5e5d', operation='UPDATE', pgid='pgtrigger_facts_never_change_66d97', table='listings_cataloguereading', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='cataloguereading',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='597f8b83f836cde3afd44a3d3df491bc751197d0', operation='DELETE', pgid='pgtrigger_never_deleted_ac21b', table='listings_cataloguereading', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='cataloguereading',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='e696871c4ef24d7c8e0a1f0c7d120ed572ead096', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_655e2', table='listings_cataloguereading', when='BEFORE')),
            ),
            migrations.AddField(
                model_name='listing',
                name='created_by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='listing',
                name='seller',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='marketplace.organisation'),
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
                model_name='offer',
                name='created_by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='offer',
                name='listing',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='listings.listing'),
            ),
            migrations.AddField(
                model_name='offerbuyer',
                name='offer',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='listings.offer'),
            ),
            migrations.AddField(
                model_name='offerbuyer',
                name='organisation',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='offer',
                name='buyers',
                field=models.ManyToManyField(related_name='+', through='listings.OfferBuyer', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='quota',
                name='created_by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='quota',
                name='organisation',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotas', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='registration',
                name='holder',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='registrations', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='objection',
                name='registration',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='objections', to='listings.registration'),
            ),
            migrations.AddField(
                model_name='release',
                name='created_by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='release',
                name='listing',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='listings.listing'),
            ),
            migrations.AddField(
                model_name='profile',
                name='release',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='profile', to='listings.release'),
            ),
            migrations.AddField(
                model_name='releasefile',
                name='release',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='listings.release'),
            ),
            migrations.AddField(
                model_name='upload',
                name='created_by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='upload',
                name='release',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uploads', to='listings.release'),
            ),
            migrations.AddField(
                model_name='version',
                name='created_by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='version',
                name='listing',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='listings.listing'),
            ),
            migrations.AddField(
                model_name='version',
                name='release',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='listings.release'),
            ),
            migrations.AddField(
                model_name='version',
                name='submitted_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='registration',
                name='version',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='registration', to='listings.version'),
            ),
            migrations.AddField(
                model_name='listing',
                name='current_version',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='listings.version'),
            ),
            migrations.AddIndex(
                model_name='catalogueentry',
                index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='catalogue_entry_search'),
            ),
            migrations.AddIndex(
                model_name='catalogueentry',
                index=models.Index(fields=['sector', '-id'], name='catalogue_entry_by_sector'),
            ),
            migrations.AddIndex(
                model_name='catalogueentry',
                index=models.Index(fields=['product_type', '-id'], name='catalogue_entry_by_type'),
            ),
            migrations.AddConstraint(
                model_name='catalogueentry',
                constraint=models.UniqueConstraint(fields=('source', 'identifier'), name='one_entry_per_source_and_identifier'),
            ),
            migrations.AddConstraint(
                model_name='catalogueentry',
                constraint=models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='entry_has_a_title'),
            ),
            migrations.AddConstraint(
                model_name='catalogueentry',
                constraint=models.CheckConstraint(condition=models.Q(('address', ''), ('address__regex', '^https?://'), _connector='OR'), name='entry_address_is_of_the_web'),
            ),
            migrations.AddConstraint(
                model_name='catalogueentry',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawal_reason', ''), ('withdrawn_at', None), ('withdrawn_by', None)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False), models.Q(('withdrawal_reason', ''), _negated=True)), _connector='OR'), name='withdrawn_entry_says_by_whom_and_why'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='catalogueentry',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."identifier" IS DISTINCT FROM (NEW."identifier") OR OLD."first_reading_id" IS DISTINCT FROM (NEW."first_reading_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='988ae92515d1557f485b5bab05c8ac132f09969a', operation='UPDATE', pgid='pgtrigger_facts_never_change_14814', table='listings_catalogueentry', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='catalogueentry',
                trigger=pgtrigger.compiler.Trigger(name='withdrawn_entry_stays_withdrawn', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."withdrawal_reason" IS DISTINCT FROM (NEW."withdrawal_reason") OR OLD."withdrawn_at" IS DISTINCT FROM (NEW."withdrawn_at") OR OLD."withdrawn_by_id" IS DISTINCT FROM (NEW."withdrawn_by_id"))', func="\n                    IF OLD.withdrawn_at IS NOT NULL THEN\n                        RAISE 'catalogue entry % is withdrawn', OLD.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='1b0c7f679839a364d039e8e265ab452bae063a0d', operation='UPDATE', pgid='pgtrigger_withdrawn_entry_stays_withdrawn_10133', table='listings_catalogueentry', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='catalogueentry',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4074c6e403dab0fb7514138862872bb12ec32b12', operation='DELETE', pgid='pgtrigger_never_deleted_f0871', table='listings_catalogueentry', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='catalogueentry',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='baa6e76a4bb68eea565d03827b45de72f7410ed5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_261c6', table='listings_catalogueentry', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='offerbuyer',
                constraint=models.UniqueConstraint(fields=('offer', 'organisation'), name='named_once_per_offer'),
            ),
            migrations.AddConstraint(
                model_name='offer',
                constraint=models.CheckConstraint(condition=models.Q(('price_minor__gte', 0)), name='price_is_not_negative'),
            ),
            migrations.AddConstraint(
                model_name='offer',
                constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='currency_is_three_capitals'),
            ),
            migrations.AddConstraint(
                model_name='offer',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('licences_left', None), ('licences_total', None)), models.Q(('licences_left__gte', 0), ('licences_left__isnull', False), ('licences_left__lte', models.F('licences_total')), ('licences_total__isnull', False)), _connector='OR'), name='no_more_licences_than_offered'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='offer',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."listing_id" IS DISTINCT FROM (NEW."listing_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."price_minor" IS DISTINCT FROM (NEW."price_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."terms" IS DISTINCT FROM (NEW."terms") OR OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."inspection_days" IS DISTINCT FROM (NEW."inspection_days") OR OLD."jurisdiction" IS DISTINCT FROM (NEW."jurisdiction") OR OLD."contract_version" IS DISTINCT FROM (NEW."contract_version") OR OLD."audience" IS DISTINCT FROM (NEW."audience") OR OLD."licences_total" IS DISTINCT FROM (NEW."licences_total") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4746588574f3e316cee33fc29efe7733ba50d98e', operation='UPDATE', pgid='pgtrigger_facts_never_change_ca22c', table='listings_offer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='offer',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='537eb4c8964c09879df958ad819eac4bf22afcd1', operation='DELETE', pgid='pgtrigger_never_deleted_24b93', table='listings_offer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='offer',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='9a44e9d09c1e19bbdfbc1473a34827ab9b4dc961', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_030e5', table='listings_offer', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='quota',
                constraint=models.CheckConstraint(condition=models.Q(('most_bytes__gte', 0), ('most_files__gte', 0)), name='quota_is_not_negative'),
            ),
            migrations.AddConstraint(
                model_name='quota',
                constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='quota_has_a_reason'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quota',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='044505ad905ab3a6e097c432f334c6c89c326fd3', operation='UPDATE', pgid='pgtrigger_never_updated_bc28a', table='listings_quota', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quota',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='bed881a12b176f2555c4d8654c6bb18d9fc3e2c9', operation='DELETE', pgid='pgtrigger_never_deleted_647a4', table='listings_quota', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quota',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='7ff9b21b8d3045912134aa237dea42a04daf3471', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_551b9', table='listings_quota', when='BEFORE')),
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
            migrations.AddConstraint(
                model_name='release',
                constraint=models.UniqueConstraint(fields=('listing', 'label'), name='one_release_per_label'),
            ),
            migrations.AddConstraint(
                model_name='release',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('digest', ''), ('sealed_at', None)), models.Q(('sealed_at__isnull', False), models.Q(('digest', ''), _negated=True)), _connector='OR'), name='sealed_release_has_a_digest'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='release',
                trigger=pgtrigger.compiler.Trigger(name='sealed_release_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."sealed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8b049b2fb9d9253a25c5d8452357f93ce6ad3655', operation='UPDATE', pgid='pgtrigger_sealed_release_never_changes_91f3f', table='listings_release', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='release',
                trigger=pgtrigger.compiler.Trigger(name='release_is_sealed_when_all_is_checked', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."sealed_at" IS NOT NULL AND OLD."sealed_at" IS NULL)', func="\n                    IF EXISTS (SELECT FROM listings_upload WHERE release_id = NEW.id AND state = 'checking') THEN\n                        RAISE 'files of release % are being checked', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='a044ae7f467aa1624c66f589bd10485b31d498cc', operation='UPDATE', pgid='pgtrigger_release_is_sealed_when_all_is_checked_623c0', table='listings_release', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='release',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='76a0243b0a82519fca6b2266a8e99bc54ca6c983', operation='DELETE', pgid='pgtrigger_never_deleted_99581', table='listings_release', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='release',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='2c04c22a2550a82c322a85809142e1876c8d158f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_b064a', table='listings_release', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='profile',
                constraint=models.CheckConstraint(condition=models.Q(('bytes_done__gte', 0)), name='profile_progress_is_not_negative'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='profile',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{done:due,due:done,due:failed,failed:due}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='08f5af53425b17c208729428174759c44098e89e', operation='UPDATE', pgid='pgtrigger_only_declared_moves_57160', table='listings_profile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='profile',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'due\')', func="RAISE 'a row is born due, not %', NEW.state USING ERRCODE = 'check_violation';", hash='eba5bd76bfd0a1474b06d97cce9cc49c8a0732a2', operation='INSERT', pgid='pgtrigger_born_in_first_state_f1824', table='listings_profile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='profile',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='009f1c703086e8cdefa92e5ad2e80bcac8bfbab5', operation='DELETE', pgid='pgtrigger_never_deleted_049da', table='listings_profile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='profile',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='ad1ff1c0abfabc884d95504c827ba57fe1a519e2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_82af4', table='listings_profile', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='releasefile',
                constraint=models.UniqueConstraint(fields=('release', 'path'), name='one_file_per_path'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='releasefile',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8780e045ca3a2e54b3949ceceef533239b8daaaa', operation='UPDATE', pgid='pgtrigger_never_updated_65534', table='listings_releasefile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='releasefile',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3cbf59b69bfbc4ff28b85038d30dcf91a6871daf', operation='DELETE', pgid='pgtrigger_never_deleted_93073', table='listings_releasefile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='releasefile',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='405b230eef56914d0dfcdf71e9fad9429fc52246', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_b8edc', table='listings_releasefile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='releasefile',
                trigger=pgtrigger.compiler.Trigger(name='sealed_release_takes_no_file', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (SELECT FROM listings_release WHERE id = NEW.release_id AND sealed_at IS NOT NULL) THEN\n                        RAISE 'release % is sealed', NEW.release_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='a1f6b5045a944a85f2ed1bb0447418d67edd504e', operation='INSERT', pgid='pgtrigger_sealed_release_takes_no_file_97e75', table='listings_releasefile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='releasefile',
                trigger=pgtrigger.compiler.Trigger(name='what_was_refused_joins_no_release', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (\n                        SELECT FROM listings_upload\n                        WHERE public_id = NEW.stored_as AND state IN ('refused', 'quarantined')\n                    ) THEN\n                        RAISE 'upload % was refused', NEW.stored_as USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='1b467fee9b16c31a5b10c069d0435162286fe182', operation='INSERT', pgid='pgtrigger_what_was_refused_joins_no_release_867bd', table='listings_releasefile', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='upload',
                constraint=models.CheckConstraint(condition=models.Q(('received_bytes__lte', models.F('size_bytes')), ('received_bytes__gte', 0)), name='upload_receives_no_more_than_announced'),
            ),
            migrations.AddConstraint(
                model_name='upload',
                constraint=models.CheckConstraint(condition=models.Q(('state', 'arriving'), ('received_bytes', models.F('size_bytes')), _connector='OR'), name='upload_is_whole_when_it_is_checked'),
            ),
            migrations.AddConstraint(
                model_name='upload',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('refusal_code', ''), ('state__in', ['arriving', 'checking'])), models.Q(('state__in', ['refused', 'quarantined']), models.Q(('refusal_code', ''), _negated=True)), _connector='OR'), name='refused_upload_says_why'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='upload',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{arriving:checking,checking:quarantined,checking:refused}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='97e6ca24b93a8878bee57766372272b522cbf53d', operation='UPDATE', pgid='pgtrigger_only_declared_moves_360a1', table='listings_upload', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='upload',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'arriving\')', func="RAISE 'a row is born arriving, not %', NEW.state USING ERRCODE = 'check_violation';", hash='cd0f202b9eb79e9bb04f665bc718054d80560a47', operation='INSERT', pgid='pgtrigger_born_in_first_state_06089', table='listings_upload', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='upload',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."release_id" IS DISTINCT FROM (NEW."release_id") OR OLD."path" IS DISTINCT FROM (NEW."path") OR OLD."part_bytes" IS DISTINCT FROM (NEW."part_bytes") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='50995a0c12c6200acc2084a2312304bf5fd4cd0a', operation='UPDATE', pgid='pgtrigger_facts_never_change_905a2', table='listings_upload', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='version',
                constraint=models.UniqueConstraint(fields=('listing', 'number'), name='versions_are_numbered'),
            ),
            migrations.AddConstraint(
                model_name='version',
                constraint=models.UniqueConstraint(condition=models.Q(('state', 'draft')), fields=('listing',), name='one_draft_at_a_time'),
            ),
            migrations.AddConstraint(
                model_name='version',
                constraint=models.CheckConstraint(condition=models.Q(('state', 'draft'), models.Q(('classification', 'core'), _negated=True), _connector='OR'), name='core_data_is_never_submitted'),
            ),
            migrations.AddConstraint(
                model_name='version',
                constraint=models.CheckConstraint(condition=models.Q(('state', 'draft'), ('submitted_by__isnull', False), _connector='OR'), name='submitted_version_says_by_whom'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='version',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{draft:submitted,in_review:approved,in_review:changes_requested,in_review:refused,in_review:withdrawn,submitted:in_review,submitted:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='a99940ca790fa07094e8bda89807323453cbae1c', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b0689', table='listings_version', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='version',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'draft\')', func="RAISE 'a row is born draft, not %', NEW.state USING ERRCODE = 'check_violation';", hash='041a375fcdeff33ab78233068415a3db945dbe19', operation='INSERT', pgid='pgtrigger_born_in_first_state_12794', table='listings_version', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='version',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."listing_id" IS DISTINCT FROM (NEW."listing_id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a88339026059b4c0fca78021b5f26454f130e73c', operation='UPDATE', pgid='pgtrigger_facts_never_change_30a43', table='listings_version', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='version',
                trigger=pgtrigger.compiler.Trigger(name='submitted_manual_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."classification" IS DISTINCT FROM (NEW."classification") OR OLD."coverage_area" IS DISTINCT FROM (NEW."coverage_area") OR OLD."coverage_population" IS DISTINCT FROM (NEW."coverage_population") OR OLD."coverage_time" IS DISTINCT FROM (NEW."coverage_time") OR OLD."fields" IS DISTINCT FROM (NEW."fields") OR OLD."forbidden_uses" IS DISTINCT FROM (NEW."forbidden_uses") OR OLD."has_personal_data" IS DISTINCT FROM (NEW."has_personal_data") OR OLD."has_sensitive_data" IS DISTINCT FROM (NEW."has_sensitive_data") OR OLD."lawful_basis" IS DISTINCT FROM (NEW."lawful_basis") OR OLD."leaves_mainland" IS DISTINCT FROM (NEW."leaves_mainland") OR OLD."persons_count" IS DISTINCT FROM (NEW."persons_count") OR OLD."release_id" IS DISTINCT FROM (NEW."release_id") OR OLD."rights" IS DISTINCT FROM (NEW."rights") OR OLD."sector" IS DISTINCT FROM (NEW."sector") OR OLD."source_statement" IS DISTINCT FROM (NEW."source_statement") OR OLD."submitted_at" IS DISTINCT FROM (NEW."submitted_at") OR OLD."submitted_by_id" IS DISTINCT FROM (NEW."submitted_by_id") OR OLD."summaries" IS DISTINCT FROM (NEW."summaries") OR OLD."support_contact" IS DISTINCT FROM (NEW."support_contact") OR OLD."titles" IS DISTINCT FROM (NEW."titles") OR OLD."update_frequency" IS DISTINCT FROM (NEW."update_frequency") OR OLD."use_scenarios" IS DISTINCT FROM (NEW."use_scenarios"))', func="\n                    IF OLD.state <> 'draft' THEN\n                        RAISE 'version % was submitted and never changes', OLD.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='0435fd3b54bdbcecbbaeeebcbffa0a67932ebffa', operation='UPDATE', pgid='pgtrigger_submitted_manual_never_changes_990e1', table='listings_version', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='version',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='0cc254f4bdf2fe3973aa098013edeea3a19de21c', operation='DELETE', pgid='pgtrigger_never_deleted_5fda2', table='listings_version', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='version',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='d36dde2196acbfa0f3f38337df94ce26874fbf48', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_bd5ec', table='listings_version', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='registration',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='e60e7fec7683a74a5acc4c727d5d445896ca6cba', operation='UPDATE', pgid='pgtrigger_never_updated_0766c', table='listings_registration', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='registration',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='86f6c88bfffe0c4e5af9c8e3adffe6ccbe5f9fa6', operation='DELETE', pgid='pgtrigger_never_deleted_bc1e5', table='listings_registration', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='registration',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='760ff5bc808e5814dc32d1bdb343f64f4031bc12', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_dc13b', table='listings_registration', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='listing',
                index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='listing_search'),
            ),
            migrations.AddIndex(
                model_name='listing',
                index=models.Index(fields=['state', '-listed_at', '-id'], name='listings_li_state_75dcf8_idx'),
            ),
            migrations.AddConstraint(
                model_name='listing',
                constraint=models.CheckConstraint(condition=models.Q(('state__in', ['unlisted', 'withdrawn']), ('current_version__isnull', False), _connector='OR'), name='listed_product_has_a_version'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listing',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{listed:suspended,listed:withdrawn,registered:listed,registered:withdrawn,suspended:listed,suspended:withdrawn,unlisted:registered,unlisted:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='c7e8c8bb42f9e79d01ebfd1cac404c56d730364e', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b2575', table='listings_listing', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listing',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'unlisted\')', func="RAISE 'a row is born unlisted, not %', NEW.state USING ERRCODE = 'check_violation';", hash='c14073ae88fefdbc0224d8803d1f415009731064', operation='INSERT', pgid='pgtrigger_born_in_first_state_3ffca', table='listings_listing', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listing',
                trigger=pgtrigger.compiler.Trigger(name='no_product_is_published_against_an_objection', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'listed\' AND OLD."state" = \'registered\')', func="\n                    IF EXISTS (\n                        SELECT FROM listings_objection o JOIN listings_registration r ON r.id = o.registration_id\n                        WHERE r.version_id = NEW.current_version_id AND o.state <> 'dismissed'\n                    ) THEN\n                        RAISE 'an objection stands against listing %', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='751fec4653ab87f82d4e7821c2d97a33ebde7bb9', operation='UPDATE OF "state"', pgid='pgtrigger_no_product_is_published_against_an_objection_a99ac', table='listings_listing', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listing',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."seller_id" IS DISTINCT FROM (NEW."seller_id") OR OLD."product_type" IS DISTINCT FROM (NEW."product_type") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f3933439be84c87e8e30335bc56fb996fb5b835b', operation='UPDATE', pgid='pgtrigger_facts_never_change_ace4d', table='listings_listing', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listing',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e0eb350482d89aeadfd91a5f00a47fe265e7ba38', operation='DELETE', pgid='pgtrigger_never_deleted_2086f', table='listings_listing', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='listing',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='8b4bfbe1c79bd7d72bc8e74cc61af41d2b1b8475', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_032f1', table='listings_listing', when='BEFORE')),
            ),
        ]),
    ]
