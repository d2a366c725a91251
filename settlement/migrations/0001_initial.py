"""Every table of the app, and what the database refuses of its rows."""

import django.db.models.deletion
import django.db.models.expressions
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
        ('listings', '0001_initial'),
        ('marketplace', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='Chargeback',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reference', models.CharField(max_length=120, unique=True)),
                    ('amount_minor', models.BigIntegerField()),
                    ('currency', models.CharField(max_length=3)),
                    ('state', models.CharField(choices=[('open', 'Open'), ('won', 'Won'), ('lost', 'Lost')], default='open', max_length=10)),
                    ('opened_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'chargeback',
                    'verbose_name_plural': 'chargebacks',
                },
            ),
            migrations.CreateModel(
                name='Grant',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('channel', models.CharField(max_length=20)),
                    ('state', models.CharField(choices=[('due', 'Due'), ('open', 'Open'), ('suspended', 'Suspended'), ('closed', 'Closed')], default='due', max_length=10)),
                    ('access', models.JSONField(default=dict)),
                    ('opened_at', models.DateTimeField(blank=True, null=True)),
                    ('ends_at', models.DateTimeField(blank=True, null=True)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('is_close_due', models.BooleanField(default=False)),
                ],
                options={
                    'verbose_name': 'access',
                    'verbose_name_plural': 'accesses',
                },
            ),
            migrations.CreateModel(
                name='Notice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('gateway', models.CharField(max_length=20)),
                    ('event_id', models.CharField(max_length=120)),
                    ('body', models.TextField()),
                    ('received_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('read_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'notice',
                    'verbose_name_plural': 'notices',
                },
            ),
            migrations.CreateModel(
                name='Payment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('instalment', models.PositiveSmallIntegerField(default=1)),
                    ('gateway', models.CharField(max_length=20)),
                    ('key', models.CharField(max_length=60, unique=True)),
                    ('amount_minor', models.BigIntegerField()),
                    ('currency', models.CharField(max_length=3)),
                    ('state', models.CharField(choices=[('requested', 'Requested'), ('started', 'Waiting for the buyer'), ('paid', 'Paid'), ('failed', 'Failed'), ('stopped', 'Stopped')], default='requested', max_length=12)),
                    ('reference', models.CharField(blank=True, max_length=120)),
                    ('pay_at_url', models.CharField(blank=True, max_length=500)),
                    ('is_stop_due', models.BooleanField(default=False)),
                    ('requested_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('paid_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'payment',
                    'verbose_name_plural': 'payments',
                },
            ),
            migrations.CreateModel(
                name='Payout',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('gateway', models.CharField(blank=True, max_length=20)),
                    ('destination', models.CharField(blank=True, max_length=120)),
                    ('routed_at', models.DateTimeField(blank=True, null=True)),
                    ('key', models.CharField(max_length=60, unique=True)),
                    ('amount_minor', models.BigIntegerField()),
                    ('currency', models.CharField(max_length=3)),
                    ('state', models.CharField(choices=[('due', 'Due'), ('sent', 'Sent'), ('paid', 'Paid'), ('bounced', 'Bounced')], default='due', max_length=10)),
                    ('reference', models.CharField(blank=True, max_length=120)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                    ('paid_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'payout',
                    'verbose_name_plural': 'payouts',
                },
            ),
            migrations.CreateModel(
                name='PayoutAccount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('gateway', models.CharField(max_length=20)),
                    ('reference', models.CharField(max_length=120)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                    ('effective_at', models.DateTimeField(blank=True, null=True)),
                    ('dropped_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'payout account',
                    'verbose_name_plural': 'payout accounts',
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='Receipt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('path', models.CharField(max_length=300)),
                    ('sha256', models.CharField(max_length=64)),
                    ('first_byte', models.BigIntegerField()),
                    ('size_bytes', models.BigIntegerField()),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'receipt of a use',
                    'verbose_name_plural': 'receipts of uses',
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='Refund',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('gateway', models.CharField(max_length=20)),
                    ('key', models.CharField(max_length=60, unique=True)),
                    ('amount_minor', models.BigIntegerField()),
                    ('currency', models.CharField(max_length=3)),
                    ('payer_reference', models.CharField(blank=True, max_length=120)),
                    ('reason', models.CharField(max_length=300)),
                    ('state', models.CharField(choices=[('due', 'Due'), ('sent', 'Sent'), ('paid', 'Paid'), ('bounced', 'Bounced')], default='due', max_length=10)),
                    ('reference', models.CharField(blank=True, max_length=120)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                    ('paid_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'refund',
                    'verbose_name_plural': 'refunds',
                },
            ),
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
            migrations.CreateModel(
                name='SandboxNotice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('event_id', models.CharField(max_length=60, unique=True)),
                    ('body', models.TextField()),
                    ('posted_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name': 'notice of the sandbox',
                    'verbose_name_plural': 'notices of the sandbox',
                },
            ),
            migrations.CreateModel(
                name='SandboxOrder',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('tries', models.IntegerField(default=0)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('error', models.TextField(blank=True)),
                    ('kind', models.CharField(choices=[('payment', 'payment'), ('refund', 'refund'), ('payout', 'payout')], max_length=10)),
                    ('key', models.CharField(max_length=60, unique=True)),
                    ('reference', models.CharField(max_length=40, unique=True)),
                    ('amount_minor', models.BigIntegerField()),
                    ('currency', models.CharField(max_length=3)),
                    ('payer_reference', models.CharField(blank=True, max_length=120)),
                    ('state', models.CharField(default='open', max_length=12)),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'order of the sandbox',
                    'verbose_name_plural': 'orders of the sandbox',
                },
            ),
            migrations.CreateModel(
                name='Statement',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(max_length=3)),
                    ('gross_minor', models.BigIntegerField()),
                    ('fee_minor', models.BigIntegerField()),
                    ('recovered_minor', models.BigIntegerField(default=0)),
                    ('net_minor', models.BigIntegerField()),
                    ('created_at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'settlement statement',
                    'verbose_name_plural': 'settlement statements',
                },
            ),
            migrations.CreateModel(
                name='Trade',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=marketplace.models.new_public_id, editable=False, max_length=20, unique=True)),
                    ('register_number', models.CharField(blank=True, max_length=40, null=True, unique=True, verbose_name='trade register number')),
                    ('state', models.CharField(choices=[('proposed', 'Proposed'), ('agreed', 'Agreed'), ('registered', 'Registered'), ('funded', 'Funded'), ('delivered', 'Delivered'), ('accepted', 'Accepted'), ('disputed', 'Disputed'), ('cleared', 'Cleared'), ('settled', 'Settled'), ('declined', 'Declined'), ('cancelled', 'Cancelled'), ('expired', 'Expired'), ('refunded', 'Refunded')], default='proposed', max_length=12, verbose_name='state')),
                    ('price_minor', models.BigIntegerField(verbose_name='price')),
                    ('currency', models.CharField(max_length=3)),
                    ('terms', models.JSONField()),
                    ('contract_version', models.CharField(blank=True, default='', max_length=10, verbose_name='licence contract')),
                    ('jurisdiction', models.CharField(default='seat', max_length=20, verbose_name='governing law and forum')),
                    ('text_digest', models.CharField(blank=True, default='', max_length=80)),
                    ('crossborder', models.JSONField()),
                    ('inspection_days', models.PositiveSmallIntegerField()),
                    ('purpose', models.TextField(blank=True, verbose_name='use')),
                    ('purchase_order', models.CharField(blank=True, max_length=60, verbose_name='purchase order number')),
                    ('proposed_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('agree_until', models.DateTimeField()),
                    ('agreed_at', models.DateTimeField(blank=True, null=True)),
                    ('registered_at', models.DateTimeField(blank=True, null=True)),
                    ('fund_until', models.DateTimeField(blank=True, null=True)),
                    ('funded_at', models.DateTimeField(blank=True, null=True)),
                    ('delivered_at', models.DateTimeField(blank=True, null=True)),
                    ('inspect_until', models.DateTimeField(blank=True, null=True)),
                    ('accepted_at', models.DateTimeField(blank=True, null=True)),
                    ('is_deemed_accepted', models.BooleanField(default=False)),
                    ('cleared_at', models.DateTimeField(blank=True, null=True)),
                    ('settled_at', models.DateTimeField(blank=True, null=True)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('end_reason', models.CharField(blank=True, max_length=300)),
                    ('holds_licence', models.BooleanField(default=False)),
                    ('is_frozen', models.BooleanField(default=False)),
                    ('next_try_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('tries', models.IntegerField(default=0)),
                    ('error', models.TextField(blank=True)),
                ],
                options={
                    'verbose_name': 'trade',
                    'verbose_name_plural': 'trades',
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='Transfer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=120, unique=True)),
                    ('amount_minor', models.BigIntegerField()),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                ],
                options={
                    'verbose_name': 'transfer',
                    'verbose_name_plural': 'transfers',
                },
            ),
            migrations.CreateModel(
                name='Unmatched',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('gateway', models.CharField(max_length=20)),
                    ('event_id', models.CharField(max_length=120)),
                    ('payer_reference', models.CharField(max_length=120)),
                    ('amount_minor', models.BigIntegerField()),
                    ('currency', models.CharField(max_length=3)),
                    ('why', models.CharField(max_length=40)),
                    ('arrived_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                    ('decision', models.CharField(blank=True, max_length=20)),
                ],
                options={
                    'verbose_name': 'unmatched money',
                    'verbose_name_plural': 'unmatched money',
                },
            ),
            migrations.CreateModel(
                name='Account',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=200, unique=True)),
                    ('kind', models.CharField(choices=[('outside', 'Outside'), ('escrow', 'Escrow'), ('fee', 'Fee income'), ('payable', 'Payable to member'), ('refund', 'Payable refund'), ('suspense', 'Suspense'), ('receivable', 'Receivable from member')], max_length=12)),
                    ('currency', models.CharField(max_length=3)),
                    ('has_floor', models.BooleanField()),
                    ('balance_minor', models.BigIntegerField(blank=True, null=True)),
                    ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='marketplace.organisation')),
                ],
                options={
                    'verbose_name': 'account',
                    'verbose_name_plural': 'accounts',
                },
            ),
            migrations.CreateModel(
                name='Agreement',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('terms', models.JSONField()),
                    ('digest', models.CharField(max_length=80)),
                    ('agreed_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('text_digest', models.CharField(blank=True, default='', max_length=80)),
                    ('buyer_agreed_at', models.DateTimeField(blank=True, null=True)),
                    ('seller_agreed_at', models.DateTimeField(blank=True, null=True)),
                    ('buyer_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('seller_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'agreement',
                    'verbose_name_plural': 'agreements',
                },
            ),
            migrations.CreateModel(
                name='ClearingCycle',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField(unique=True)),
                    ('state', models.CharField(choices=[('open', 'Open'), ('closed', 'Closed'), ('released', 'Released')], default='open', max_length=10)),
                    ('opened_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('cut_off_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('released_at', models.DateTimeField(blank=True, null=True)),
                    ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('second_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'clearing cycle',
                    'verbose_name_plural': 'clearing cycles',
                },
            ),
            migrations.CreateModel(
                name='Dispute',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('open', 'Open'), ('resolved', 'Resolved')], default='open', max_length=10)),
                    ('reason', models.TextField()),
                    ('opened_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('answer', models.TextField(blank=True)),
                    ('resolution', models.TextField(blank=True)),
                    ('refund_minor', models.BigIntegerField(blank=True, null=True)),
                    ('resolved_at', models.DateTimeField(blank=True, null=True)),
                    ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('resolved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'dispute',
                    'verbose_name_plural': 'disputes',
                },
            ),
            migrations.CreateModel(
                name='FeeSchedule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.CharField(max_length=20, unique=True)),
                    ('seller_basis_points', models.PositiveIntegerField()),
                    ('valid_from', models.DateTimeField(unique=True)),
                ],
                options={
                    'verbose_name': 'fee schedule',
                    'verbose_name_plural': 'fee schedules',
                    'constraints': [models.CheckConstraint(condition=models.Q(('seller_basis_points__lte', 10000)), name='fee_is_at_most_the_price')],
                },
            ),
        ]),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='feeschedule',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b29317795a5f040a91185e94f81d4635a1db640a', operation='UPDATE', pgid='pgtrigger_never_updated_60ac8', table='settlement_feeschedule', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeschedule',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='2e68761cc1c97b6d1407e60ea6ebf5aa3f5c8bf3', operation='DELETE', pgid='pgtrigger_never_deleted_b8db4', table='settlement_feeschedule', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeschedule',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='851788acc57cafca06c11a2afee27b3b20058e4a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_aa701', table='settlement_feeschedule', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='notice',
                index=models.Index(condition=models.Q(('read_at', None)), fields=['next_try_at'], name='notice_unread'),
            ),
            migrations.AddConstraint(
                model_name='notice',
                constraint=models.UniqueConstraint(fields=('gateway', 'event_id'), name='one_notice_per_gateway_event'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='notice',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."gateway" IS DISTINCT FROM (NEW."gateway") OR OLD."event_id" IS DISTINCT FROM (NEW."event_id") OR OLD."body" IS DISTINCT FROM (NEW."body") OR OLD."received_at" IS DISTINCT FROM (NEW."received_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='57d9100e8f9389afa3e4830c97d7f45d71aa7730', operation='UPDATE', pgid='pgtrigger_facts_never_change_11ae3', table='settlement_notice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='notice',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='5ae6e555b86b5270b871a3bb8ef836a3ee2c2f18', operation='DELETE', pgid='pgtrigger_never_deleted_10a50', table='settlement_notice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='notice',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='5f4dc4f0b71f1c86e368613863f46ee89a395cd0', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_b080b', table='settlement_notice', when='BEFORE')),
            ),
            migrations.AddField(
                model_name='chargeback',
                name='payment',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='chargebacks', to='settlement.payment'),
            ),
            migrations.AddField(
                model_name='payout',
                name='cycle',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='settlement.clearingcycle'),
            ),
            migrations.AddField(
                model_name='payout',
                name='organisation',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='payout',
                name='replaces',
                field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='settlement.payout'),
            ),
            migrations.AddField(
                model_name='payoutaccount',
                name='by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='payoutaccount',
                name='confirmed_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='payoutaccount',
                name='dropped_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='payoutaccount',
                name='organisation',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payout_accounts', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='receipt',
                name='by',
                field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='receipt',
                name='grant',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='settlement.grant'),
            ),
            migrations.AddField(
                model_name='refund',
                name='payment',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='settlement.payment'),
            ),
            migrations.AddField(
                model_name='refund',
                name='replaces',
                field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='settlement.refund'),
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
            migrations.AddField(
                model_name='sandboxnotice',
                name='order',
                field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='settlement.sandboxorder'),
            ),
            migrations.AddField(
                model_name='statement',
                name='cycle',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='settlement.clearingcycle'),
            ),
            migrations.AddField(
                model_name='statement',
                name='organisation',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='statement',
                name='paper',
                field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='marketplace.paper'),
            ),
            migrations.AddField(
                model_name='trade',
                name='buyer',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purchases', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='trade',
                name='certificate',
                field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='marketplace.paper'),
            ),
            migrations.AddField(
                model_name='trade',
                name='cycle',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='trades', to='settlement.clearingcycle'),
            ),
            migrations.AddField(
                model_name='trade',
                name='fee_schedule',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='settlement.feeschedule'),
            ),
            migrations.AddField(
                model_name='trade',
                name='listing',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trades', to='listings.listing'),
            ),
            migrations.AddField(
                model_name='trade',
                name='offer',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trades', to='listings.offer'),
            ),
            migrations.AddField(
                model_name='trade',
                name='proposed_by',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='trade',
                name='release',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='listings.release'),
            ),
            migrations.AddField(
                model_name='trade',
                name='seller',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sales', to='marketplace.organisation'),
            ),
            migrations.AddField(
                model_name='trade',
                name='version',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='listings.version'),
            ),
            migrations.AddField(
                model_name='refund',
                name='trade',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='settlement.trade'),
            ),
            migrations.AddField(
                model_name='payment',
                name='trade',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='settlement.trade'),
            ),
            migrations.AddField(
                model_name='grant',
                name='trade',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='grant', to='settlement.trade'),
            ),
            migrations.AddField(
                model_name='dispute',
                name='trade',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='dispute', to='settlement.trade'),
            ),
            migrations.AddField(
                model_name='chargeback',
                name='trade',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='chargebacks', to='settlement.trade'),
            ),
            migrations.AddField(
                model_name='agreement',
                name='trade',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='agreement', to='settlement.trade'),
            ),
            migrations.AddField(
                model_name='account',
                name='trade',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='settlement.trade'),
            ),
            migrations.AddField(
                model_name='transfer',
                name='credit',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='settlement.account'),
            ),
            migrations.AddField(
                model_name='transfer',
                name='debit',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='debits', to='settlement.account'),
            ),
            migrations.AddField(
                model_name='unmatched',
                name='decided_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='unmatched',
                name='payment',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='unmatched', to='settlement.payment'),
            ),
            migrations.AddField(
                model_name='refund',
                name='unmatched',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='settlement.unmatched'),
            ),
            migrations.AddConstraint(
                model_name='clearingcycle',
                constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('state',), name='one_open_cycle'),
            ),
            migrations.AddConstraint(
                model_name='clearingcycle',
                constraint=models.CheckConstraint(condition=models.Q(('second_by', None), models.Q(('second_by', models.F('by')), _negated=True), _connector='OR'), name='released_by_two_different_people'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{closed:released,open:closed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='178265f80d76842aa6db464936127b913244cc52', operation='UPDATE', pgid='pgtrigger_only_declared_moves_83ccd', table='settlement_clearingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'open\')', func="RAISE 'a row is born open, not %', NEW.state USING ERRCODE = 'check_violation';", hash='aba8ffa15063b5f39103c9d91de889929903ffd8', operation='INSERT', pgid='pgtrigger_born_in_first_state_7fbca', table='settlement_clearingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='32586b4834bdbbe675828ccac16aa0542a8d5264', operation='UPDATE', pgid='pgtrigger_facts_never_change_104ce', table='settlement_clearingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='36386672714e3329b3dc6aa6de5e8033f5cff5bb', operation='DELETE', pgid='pgtrigger_never_deleted_3a4af', table='settlement_clearingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='clearingcycle',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='9744bdd8de196cabfe03091b6e9d207b3d522acb', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_f48dc', table='settlement_clearingcycle', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='payout',
                index=models.Index(fields=['state', 'next_try_at'], name='settlement__state_5cc1dc_idx'),
            ),
            migrations.AddConstraint(
                model_name='payout',
                constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='payout_is_positive'),
            ),
            migrations.AddConstraint(
                model_name='payout',
                constraint=models.UniqueConstraint(condition=models.Q(('state', 'bounced'), _negated=True), fields=('cycle', 'organisation', 'currency'), name='one_payout_per_member_and_cycle'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{due:sent,paid:bounced,sent:bounced,sent:paid}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e930a5d8f5822b87227d7430c62702324baade94', operation='UPDATE', pgid='pgtrigger_only_declared_moves_94db9', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'due\')', func="RAISE 'a row is born due, not %', NEW.state USING ERRCODE = 'check_violation';", hash='24515887fb902610f68bdd85cc856f5d36657254', operation='INSERT', pgid='pgtrigger_born_in_first_state_f75ce', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cycle_id" IS DISTINCT FROM (NEW."cycle_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b1aa4b59abdc025da8bd2c66cd8257444a447319', operation='UPDATE', pgid='pgtrigger_facts_never_change_837e8', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='payout_goes_to_an_account_that_serves', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF TG_OP = 'UPDATE' THEN\n                        IF (NEW.gateway, NEW.destination) = (OLD.gateway, OLD.destination)\n                        AND NOT (NEW.state <> 'due' AND NEW.destination = '') THEN RETURN NEW; END IF;\n                        IF OLD.destination <> '' THEN\n                            RAISE 'payout % keeps its destination', OLD.id USING ERRCODE = 'check_violation';\n                        END IF;\n                    ELSIF NEW.destination = '' THEN\n                        RETURN NEW;\n                    END IF;\n                    IF NOT EXISTS (\n                        SELECT FROM settlement_payoutaccount a\n                        WHERE a.organisation_id = NEW.organisation_id AND a.gateway = NEW.gateway\n                        AND a.reference = NEW.destination AND a.dropped_at IS NULL AND a.effective_at <= NEW.routed_at\n                    ) THEN\n                        RAISE 'payout % goes to no account that serves', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='71209e3ed1d0d457c746c5e3a37401711c940678', operation='INSERT OR UPDATE', pgid='pgtrigger_payout_goes_to_an_account_that_serves_49493', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e6b402121247ce0aac583baf40cc586ac8422d90', operation='DELETE', pgid='pgtrigger_never_deleted_45801', table='settlement_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='cd5f6fb401d520f7d8c21415cbf116c6294a2101', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_ea6e8', table='settlement_payout', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='payoutaccount',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('effective_at__isnull', True)), models.Q(('confirmed_at__isnull', False), ('effective_at__isnull', False)), _connector='OR'), name='confirmed_payout_account_says_from_when'),
            ),
            migrations.AddConstraint(
                model_name='payoutaccount',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('dropped_at__isnull', True), ('dropped_by__isnull', True)), models.Q(('dropped_at__isnull', False), ('dropped_by__isnull', False)), _connector='OR'), name='dropped_payout_account_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='payoutaccount',
                constraint=models.CheckConstraint(condition=models.Q(('confirmed_by', None), models.Q(('confirmed_by', models.F('by')), _negated=True), _connector='OR'), name='payout_account_confirmed_by_another'),
            ),
            migrations.AddConstraint(
                model_name='payoutaccount',
                constraint=models.CheckConstraint(condition=models.Q(('effective_at', None), ('effective_at__gte', models.F('confirmed_at')), _connector='OR'), name='payout_account_serves_once_confirmed'),
            ),
            migrations.AddConstraint(
                model_name='payoutaccount',
                constraint=models.UniqueConstraint(condition=models.Q(('confirmed_at', None), ('dropped_at', None)), fields=('organisation',), name='one_payout_account_waits_at_a_time'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payoutaccount',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."gateway" IS DISTINCT FROM (NEW."gateway") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='70d7102a85cac0a3b1199cd729604810418cff86', operation='UPDATE', pgid='pgtrigger_facts_never_change_601d3', table='settlement_payoutaccount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payoutaccount',
                trigger=pgtrigger.compiler.Trigger(name='named_then_confirmed_by_another', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF TG_OP = 'INSERT' THEN\n                        IF NEW.confirmed_at IS NOT NULL OR NEW.dropped_at IS NOT NULL THEN\n                            RAISE 'a payout account is born unconfirmed' USING ERRCODE = 'check_violation';\n                        END IF;\n                        RETURN NEW;\n                    END IF;\n                    IF OLD.dropped_at IS NOT NULL THEN\n                        RAISE 'payout account % was dropped', OLD.id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL AND NEW.confirmed_by_id IS NULL THEN\n                        RAISE 'payout account % needs a second person', OLD.id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at, NEW.confirmed_by_id, NEW.effective_at)\n                    IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by_id, OLD.effective_at) THEN\n                        RAISE 'payout account % was confirmed', OLD.id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.dropped_at >= OLD.effective_at THEN\n                        RAISE 'payout account % serves already', OLD.id USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='013d3341fd19d9016d1df1969e361f27fbea3091', operation='INSERT OR UPDATE', pgid='pgtrigger_named_then_confirmed_by_another_c8647', table='settlement_payoutaccount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payoutaccount',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='996231a8e276e22acc734224d8c58d71fd3d0fe0', operation='DELETE', pgid='pgtrigger_never_deleted_b9ded', table='settlement_payoutaccount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payoutaccount',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='38f22cf5a98b5f9b6c45ace15287a14fd81738a2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_84fdd', table='settlement_payoutaccount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='receipt',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b93921a0d3351fb52039a2db18d724b4be6be19f', operation='UPDATE', pgid='pgtrigger_never_updated_df6b9', table='settlement_receipt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='receipt',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='dd9864c3c10f5939f4a4c6533c7341987fb9ceb1', operation='DELETE', pgid='pgtrigger_never_deleted_cd282', table='settlement_receipt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='receipt',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='f60a8056d153ddba5577afa7f60d02d58ba7c083', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_33ef0', table='settlement_receipt', when='BEFORE')),
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
            migrations.AddIndex(
                model_name='sandboxnotice',
                index=models.Index(condition=models.Q(('posted_at', None)), fields=['next_try_at'], name='sandbox_notice_unposted'),
            ),
            migrations.AddConstraint(
                model_name='statement',
                constraint=models.UniqueConstraint(fields=('cycle', 'organisation', 'currency'), name='one_statement_per_member_and_cycle'),
            ),
            migrations.AddConstraint(
                model_name='statement',
                constraint=models.CheckConstraint(condition=models.Q(('net_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('gross_minor'), '-', models.F('fee_minor')), '-', models.F('recovered_minor')))), name='statement_adds_up'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='statement',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cycle_id" IS DISTINCT FROM (NEW."cycle_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."gross_minor" IS DISTINCT FROM (NEW."gross_minor") OR OLD."fee_minor" IS DISTINCT FROM (NEW."fee_minor") OR OLD."recovered_minor" IS DISTINCT FROM (NEW."recovered_minor") OR OLD."net_minor" IS DISTINCT FROM (NEW."net_minor"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4d713e6eee09199d757046babdb8aa3431baf5aa', operation='UPDATE', pgid='pgtrigger_facts_never_change_d77e1', table='settlement_statement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='statement',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1e0165e401a914c560f82748f47d80699a47ecb7', operation='DELETE', pgid='pgtrigger_never_deleted_fcb61', table='settlement_statement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='statement',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='30700ed616c3d43a850132776ef618d2161aeffb', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_88505', table='settlement_statement', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='trade',
                index=models.Index(fields=['state', 'next_try_at', 'id'], name='settlement__state_e67866_idx'),
            ),
            migrations.AddIndex(
                model_name='trade',
                index=models.Index(fields=['cycle', 'seller'], name='settlement__cycle_i_4d48b2_idx'),
            ),
            migrations.AddConstraint(
                model_name='trade',
                constraint=models.CheckConstraint(condition=models.Q(('buyer', models.F('seller')), _negated=True), name='trade_has_two_parties'),
            ),
            migrations.AddConstraint(
                model_name='trade',
                constraint=models.CheckConstraint(condition=models.Q(('price_minor__gte', 0)), name='trade_price_is_not_negative'),
            ),
            migrations.AddConstraint(
                model_name='trade',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('register_number__isnull', True), ('registered_at__isnull', True)), models.Q(('register_number__isnull', False), ('registered_at__isnull', False)), _connector='OR'), name='registered_trade_has_a_number'),
            ),
            migrations.AddConstraint(
                model_name='trade',
                constraint=models.CheckConstraint(condition=models.Q(('certificate', None), ('state', 'settled'), _connector='OR'), name='only_settled_trades_have_a_certificate'),
            ),
            migrations.AddConstraint(
                model_name='trade',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['cleared', 'settled']), _negated=True), ('cycle__isnull', False), _connector='OR'), name='cleared_trade_names_its_cycle'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{accepted:cleared,accepted:refunded,agreed:cancelled,agreed:expired,agreed:registered,cleared:settled,delivered:accepted,delivered:disputed,delivered:refunded,disputed:accepted,disputed:refunded,funded:delivered,funded:refunded,proposed:agreed,proposed:cancelled,proposed:declined,proposed:expired,registered:cancelled,registered:expired,registered:funded}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='af4268a23d715c23d39466f6b34ddaafa9d98924', operation='UPDATE', pgid='pgtrigger_only_declared_moves_b8378', table='settlement_trade', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'proposed\')', func="RAISE 'a row is born proposed, not %', NEW.state USING ERRCODE = 'check_violation';", hash='bc1d43691c7603f67d29a1d9324d3c3e4f2c3f60', operation='INSERT', pgid='pgtrigger_born_in_first_state_af51e', table='settlement_trade', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."offer_id" IS DISTINCT FROM (NEW."offer_id") OR OLD."listing_id" IS DISTINCT FROM (NEW."listing_id") OR OLD."version_id" IS DISTINCT FROM (NEW."version_id") OR OLD."release_id" IS DISTINCT FROM (NEW."release_id") OR OLD."seller_id" IS DISTINCT FROM (NEW."seller_id") OR OLD."buyer_id" IS DISTINCT FROM (NEW."buyer_id") OR OLD."price_minor" IS DISTINCT FROM (NEW."price_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."terms" IS DISTINCT FROM (NEW."terms") OR OLD."contract_version" IS DISTINCT FROM (NEW."contract_version") OR OLD."jurisdiction" IS DISTINCT FROM (NEW."jurisdiction") OR OLD."text_digest" IS DISTINCT FROM (NEW."text_digest") OR OLD."fee_schedule_id" IS DISTINCT FROM (NEW."fee_schedule_id") OR OLD."crossborder" IS DISTINCT FROM (NEW."crossborder") OR OLD."inspection_days" IS DISTINCT FROM (NEW."inspection_days") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='937cfbf6b022d6b7522882417cdf322f9c36f0ba', operation='UPDATE', pgid='pgtrigger_facts_never_change_6f739', table='settlement_trade', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='agreed_trade_has_an_agreement', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'agreed\')', constraint='CONSTRAINT', func="\n                    IF NOT EXISTS (SELECT FROM settlement_agreement WHERE trade_id = NEW.id) THEN\n                        RAISE 'trade % is agreed without an agreement', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='8a5a78fffc491546824b7209f76a881ba6a6c2bc', operation='UPDATE OF "state"', pgid='pgtrigger_agreed_trade_has_an_agreement_bbc48', table='settlement_trade', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='paid_trade_holds_its_price', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."price_minor" > 0 AND NEW."state" = \'funded\')', constraint='CONSTRAINT', func="\n                    IF NOT EXISTS (\n                        SELECT FROM settlement_transfer t JOIN settlement_account a ON a.id = t.credit_id\n                        WHERE a.trade_id = NEW.id AND a.kind = 'escrow'\n                        GROUP BY a.id HAVING sum(t.amount_minor) >= NEW.price_minor\n                    ) THEN\n                        RAISE 'trade % is funded without its price in escrow', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='edc94708b5abe635f3bb1853eccc3980d8eb5da3', operation='UPDATE OF "state"', pgid='pgtrigger_paid_trade_holds_its_price_8bcab', table='settlement_trade', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9677857cb8b6445ed21b2145bcfa272e06b6b3d8', operation='DELETE', pgid='pgtrigger_never_deleted_32c06', table='settlement_trade', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='27a0df0a9ecf780c67ef858330609f4f1ad21c7f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_b324d', table='settlement_trade', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='payment',
                index=models.Index(fields=['state', 'next_try_at'], name='settlement__state_520915_idx'),
            ),
            migrations.AddIndex(
                model_name='payment',
                index=models.Index(fields=['gateway', 'reference'], name='settlement__gateway_77be39_idx'),
            ),
            migrations.AddConstraint(
                model_name='payment',
                constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='payment_is_positive'),
            ),
            migrations.AddConstraint(
                model_name='payment',
                constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['requested', 'started'])), fields=('trade', 'instalment'), name='one_open_payment'),
            ),
            migrations.AddConstraint(
                model_name='payment',
                constraint=models.UniqueConstraint(condition=models.Q(('state', 'paid')), fields=('trade', 'instalment'), name='one_paid_payment'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payment',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{requested:failed,requested:paid,requested:started,requested:stopped,started:failed,started:paid,started:stopped}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='d3bd4e609b7967198dfd76a3adc3efbec8c5cb2e', operation='UPDATE', pgid='pgtrigger_only_declared_moves_ce30d', table='settlement_payment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payment',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'requested\')', func="RAISE 'a row is born requested, not %', NEW.state USING ERRCODE = 'check_violation';", hash='62d75224798f8ba58bdf9958ffb92c71a9cb4539', operation='INSERT', pgid='pgtrigger_born_in_first_state_01913', table='settlement_payment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payment',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."trade_id" IS DISTINCT FROM (NEW."trade_id") OR OLD."instalment" IS DISTINCT FROM (NEW."instalment") OR OLD."gateway" IS DISTINCT FROM (NEW."gateway") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."requested_at" IS DISTINCT FROM (NEW."requested_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d623429329d6d0e90c8c5e8b9aaf8ecfcfba0075', operation='UPDATE', pgid='pgtrigger_facts_never_change_80932', table='settlement_payment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payment',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4b9e73ffca44d4d2703f29c0f6c8aa0fbc3d2204', operation='DELETE', pgid='pgtrigger_never_deleted_4ebe2', table='settlement_payment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payment',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='8bd850e4f197bd80cd27cd3f92701180020bc251', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_c1e64', table='settlement_payment', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='grant',
                index=models.Index(fields=['state', 'next_try_at'], name='settlement__state_cc7a0f_idx'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='grant',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{due:closed,due:open,open:closed,open:suspended,suspended:closed,suspended:open}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e003546a49fc4377363b71b87ad2a63da8c3f071', operation='UPDATE', pgid='pgtrigger_only_declared_moves_8357b', table='settlement_grant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='grant',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'due\')', func="RAISE 'a row is born due, not %', NEW.state USING ERRCODE = 'check_violation';", hash='90265988df47a6b438af3e3d279a68b8a73a2a17', operation='INSERT', pgid='pgtrigger_born_in_first_state_c2a29', table='settlement_grant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='grant',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."trade_id" IS DISTINCT FROM (NEW."trade_id") OR OLD."channel" IS DISTINCT FROM (NEW."channel"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6ff7a6883d527a8ff312eba5c814bf127387d149', operation='UPDATE', pgid='pgtrigger_facts_never_change_e815f', table='settlement_grant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='grant',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b0c4eabb55a3c8684eec49f12e652fbf08562763', operation='DELETE', pgid='pgtrigger_never_deleted_cf839', table='settlement_grant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='grant',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='d40959089b1402a59432497d4a1e628193f0b9fa', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_310bc', table='settlement_grant', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='dispute',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', True), ('resolved_by__isnull', True)), models.Q(('resolved_at__isnull', False), ('resolved_by__isnull', False)), _connector='OR'), name='resolved_dispute_says_by_whom'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dispute',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:resolved}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='06f9f3995acaec2f7fc276230191e77fc838a626', operation='UPDATE', pgid='pgtrigger_only_declared_moves_4fa2d', table='settlement_dispute', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dispute',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'open\')', func="RAISE 'a row is born open, not %', NEW.state USING ERRCODE = 'check_violation';", hash='b619574ad645029828c17a46510f9e4a9a9beff7', operation='INSERT', pgid='pgtrigger_born_in_first_state_d4395', table='settlement_dispute', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dispute',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."trade_id" IS DISTINCT FROM (NEW."trade_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='e69ed9730de7ebf96a1bf4fcb7ae245d49e1ebf1', operation='UPDATE', pgid='pgtrigger_facts_never_change_98f8a', table='settlement_dispute', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dispute',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f02a5a8d271eb988462c3095340456bd51db73f3', operation='DELETE', pgid='pgtrigger_never_deleted_12d00', table='settlement_dispute', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dispute',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='bdc332556a778ce845273a9678344dcadf53c160', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_906b1', table='settlement_dispute', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='chargeback',
                constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='chargeback_is_positive'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='chargeback',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:lost,open:won}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='214cc64938aa678e72d9e73280597ad2691a81d9', operation='UPDATE', pgid='pgtrigger_only_declared_moves_adb43', table='settlement_chargeback', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='chargeback',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'open\')', func="RAISE 'a row is born open, not %', NEW.state USING ERRCODE = 'check_violation';", hash='5af8e7e948f94b48a343e81aeb502a877ded3bbf', operation='INSERT', pgid='pgtrigger_born_in_first_state_d2c88', table='settlement_chargeback', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='chargeback',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."trade_id" IS DISTINCT FROM (NEW."trade_id") OR OLD."payment_id" IS DISTINCT FROM (NEW."payment_id") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2f45fb0fcf1490a35e7398e02a396c398b821540', operation='UPDATE', pgid='pgtrigger_facts_never_change_f656e', table='settlement_chargeback', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='chargeback',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='530f1bfcd18834fdcff3d0ef0051f307ac9cbfb6', operation='DELETE', pgid='pgtrigger_never_deleted_d4f54', table='settlement_chargeback', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='chargeback',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='d7e6e52000ce88858ece77c39e48e1e88462e1b7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_768c2', table='settlement_chargeback', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='agreement',
                constraint=models.CheckConstraint(condition=models.Q(('text_digest', ''), models.Q(('buyer_agreed_at__isnull', False), ('seller_agreed_at__isnull', False)), _connector='OR'), name='agreed_text_says_when_each_agreed'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='agreement',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='749c809214f917e6e3c0ac8d779a681691da39c2', operation='UPDATE', pgid='pgtrigger_never_updated_ec835', table='settlement_agreement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='agreement',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='a10144fcf5e769ca020641ebd25ec4ee49a9e48a', operation='DELETE', pgid='pgtrigger_never_deleted_96104', table='settlement_agreement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='agreement',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='ad43e2db2f28fd70ee3c02604e601f4ca3d5da78', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_4ec8c', table='settlement_agreement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='agreement',
                trigger=pgtrigger.compiler.Trigger(name='agreed_text_is_that_of_the_trade', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.text_digest <> (SELECT text_digest FROM settlement_trade WHERE id = NEW.trade_id) THEN\n                        RAISE 'trade % has another text', NEW.trade_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='ebb1fc98ffcae9a5941c8dcac8b7f1e663c81616', operation='INSERT', pgid='pgtrigger_agreed_text_is_that_of_the_trade_f0336', table='settlement_agreement', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='account',
                index=models.Index(fields=['kind', 'currency'], name='settlement__kind_6d9a89_idx'),
            ),
            migrations.AddConstraint(
                model_name='account',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('balance_minor__gte', 0), ('has_floor', True)), models.Q(('balance_minor', None), ('has_floor', False)), _connector='OR'), name='account_with_a_floor_is_not_overdrawn'),
            ),
            migrations.AddConstraint(
                model_name='account',
                constraint=models.UniqueConstraint(condition=models.Q(('kind', 'escrow')), fields=('trade',), name='one_escrow_account_per_trade'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='account',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."trade_id" IS DISTINCT FROM (NEW."trade_id") OR OLD."has_floor" IS DISTINCT FROM (NEW."has_floor"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5f31cb439d0b891e6d00e480cd002f68e2d608ab', operation='UPDATE', pgid='pgtrigger_facts_never_change_c2481', table='settlement_account', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='account',
                trigger=pgtrigger.compiler.Trigger(name='balance_is_written_by_the_ledger', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF pg_trigger_depth() < 2 THEN\n                        RAISE 'the balance of account % is written by transfers alone', OLD.name\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='d788b3e0584d5161c64435f171007fb2c58ff0da', operation='UPDATE OF "balance_minor"', pgid='pgtrigger_balance_is_written_by_the_ledger_b55b9', table='settlement_account', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='account',
                trigger=pgtrigger.compiler.Trigger(name='account_opens_empty', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."balance_minor" > 0)', func="RAISE 'account % opens empty', NEW.name USING ERRCODE = 'check_violation';", hash='6a242ca0c3e7fc4502908d5341860407a33ce276', operation='INSERT', pgid='pgtrigger_account_opens_empty_7ee22', table='settlement_account', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='account',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='6bf48218b06cd76c6ac7873df9c80ff1cf2906e9', operation='DELETE', pgid='pgtrigger_never_deleted_b32ef', table='settlement_account', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='account',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='1bab8501a01a5274bfa37397f04d62ad865c4f1e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_9fcc9', table='settlement_account', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='transfer',
                constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='transfer_is_positive'),
            ),
            migrations.AddConstraint(
                model_name='transfer',
                constraint=models.CheckConstraint(condition=models.Q(('debit', models.F('credit')), _negated=True), name='transfer_has_two_sides'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='transfer',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b28e59d041bc9b4b7b14d4ee4ef7ef9103579a33', operation='UPDATE', pgid='pgtrigger_never_updated_6314a', table='settlement_transfer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='transfer',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f7d999425ee9793430b541f050fd543a04698669', operation='DELETE', pgid='pgtrigger_never_deleted_5a83e', table='settlement_transfer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='transfer',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='7b6b2417339695c3ee13b1e8d2c35e159fa4b64e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_956f3', table='settlement_transfer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='transfer',
                trigger=pgtrigger.compiler.Trigger(name='transfers_move_balances', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (\n                        SELECT FROM moved m\n                        JOIN settlement_account d ON d.id = m.debit_id JOIN settlement_account c ON c.id = m.credit_id\n                        WHERE d.currency <> c.currency\n                    ) THEN\n                        RAISE 'a transfer stays in one currency' USING ERRCODE = 'check_violation';\n                    END IF;\n                    PERFORM FROM settlement_account\n                        WHERE has_floor AND id IN (SELECT debit_id FROM moved UNION SELECT credit_id FROM moved)\n                        ORDER BY id FOR NO KEY UPDATE;\n                    UPDATE settlement_account a SET balance_minor = a.balance_minor + s.delta\n                    FROM (\n                        SELECT account_id, sum(delta) AS delta FROM (\n                            SELECT debit_id AS account_id, -amount_minor AS delta FROM moved\n                            UNION ALL SELECT credit_id, amount_minor FROM moved\n                        ) sides GROUP BY account_id\n                    ) s WHERE a.id = s.account_id AND a.has_floor;\n                    RETURN NULL;\n                ", hash='096beeb51f825ec8a18cb66ff13bf40699bda55e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_transfers_move_balances_cf3d3', referencing='REFERENCING NEW TABLE AS moved ', table='settlement_transfer', when='AFTER')),
            ),
            migrations.AddConstraint(
                model_name='unmatched',
                constraint=models.UniqueConstraint(fields=('gateway', 'event_id'), name='unmatched_once_per_gateway_event'),
            ),
            migrations.AddConstraint(
                model_name='unmatched',
                constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='unmatched_is_positive'),
            ),
            migrations.AddConstraint(
                model_name='unmatched',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True)), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='decided_unmatched_says_by_whom'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unmatched',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."gateway" IS DISTINCT FROM (NEW."gateway") OR OLD."event_id" IS DISTINCT FROM (NEW."event_id") OR OLD."payment_id" IS DISTINCT FROM (NEW."payment_id") OR OLD."payer_reference" IS DISTINCT FROM (NEW."payer_reference") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."arrived_at" IS DISTINCT FROM (NEW."arrived_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5331f4b6a8db21b9f0e96f4e55f187985dcf3217', operation='UPDATE', pgid='pgtrigger_facts_never_change_82cad', table='settlement_unmatched', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unmatched',
                trigger=pgtrigger.compiler.Trigger(name='decided_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."decided_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f93e9a70b2c0229023c1bec0623683f8aac7b374', operation='UPDATE', pgid='pgtrigger_decided_never_changes_accc3', table='settlement_unmatched', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unmatched',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4edae3fdd90c8de1345edc6ef25bc06ee276a9d5', operation='DELETE', pgid='pgtrigger_never_deleted_da74c', table='settlement_unmatched', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unmatched',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='faba94245327a64ab7592cebd5330aca8b52f95d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_c6111', table='settlement_unmatched', when='BEFORE')),
            ),
            migrations.AddIndex(
                model_name='refund',
                index=models.Index(fields=['state', 'next_try_at'], name='settlement__state_f16d4e_idx'),
            ),
            migrations.AddConstraint(
                model_name='refund',
                constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='refund_is_positive'),
            ),
            migrations.AddConstraint(
                model_name='refund',
                constraint=models.CheckConstraint(condition=models.Q(('trade__isnull', False), ('unmatched__isnull', False), _connector='OR'), name='refund_has_a_source'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='refund',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{due:sent,paid:bounced,sent:bounced,sent:paid}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e9c2163d34e1ba3c020d572f60bc7b61cc455cdc', operation='UPDATE', pgid='pgtrigger_only_declared_moves_cbeb2', table='settlement_refund', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='refund',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'due\')', func="RAISE 'a row is born due, not %', NEW.state USING ERRCODE = 'check_violation';", hash='95db207c620d956c5828b4cce6147f0cfec33883', operation='INSERT', pgid='pgtrigger_born_in_first_state_ed129', table='settlement_refund', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='refund',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."trade_id" IS DISTINCT FROM (NEW."trade_id") OR OLD."payment_id" IS DISTINCT FROM (NEW."payment_id") OR OLD."unmatched_id" IS DISTINCT FROM (NEW."unmatched_id") OR OLD."gateway" IS DISTINCT FROM (NEW."gateway") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5413a6d6cf10aa718e13e8a0077cdd5f8a560e18', operation='UPDATE', pgid='pgtrigger_facts_never_change_d83ed', table='settlement_refund', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='refund',
                trigger=pgtrigger.compiler.Trigger(name='another_account_takes_two_people', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."replaces_id" IS NOT NULL)', func="\n                    IF EXISTS (\n                        SELECT FROM settlement_refund r WHERE r.id = NEW.replaces_id\n                        AND r.payer_reference <> NEW.payer_reference\n                    ) AND NOT EXISTS (\n                        SELECT FROM settlement_refundmending m WHERE m.refund_id = NEW.replaces_id\n                        AND m.payer_reference = NEW.payer_reference AND m.confirmed_at IS NOT NULL\n                    ) THEN\n                        RAISE 'refund % goes to another account without two people', NEW.key\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='896c6f47724650aac4d989e8619ea865f3d93871', operation='INSERT', pgid='pgtrigger_another_account_takes_two_people_054b7', table='settlement_refund', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='refund',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='7a379dfae840974c7a51b5b93885a03ef68f4975', operation='DELETE', pgid='pgtrigger_never_deleted_fa794', table='settlement_refund', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='refund',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='87da8763684bf30b7fd8334826f5ffeca1faae7f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_ffb4c', table='settlement_refund', when='BEFORE')),
            ),
        ]),
    ]
