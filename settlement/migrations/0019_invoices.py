"""Invoices of cleared trades, numbered without gaps, and their electronic invoices."""

import django.db.models.deletion
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('marketplace', '0009_invoices_are_papers'),
        ('settlement', '0018_statements_run_from_opening_to_closing'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='Invoice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=60, unique=True)),
                    ('kind', models.CharField(choices=[('licence', 'Licence'), ('fee', 'Service fee')], max_length=10)),
                    ('year', models.PositiveSmallIntegerField()),
                    ('number', models.PositiveIntegerField(default=0)),
                    ('currency', models.CharField(max_length=3)),
                    ('gross_minor', models.BigIntegerField()),
                    ('net_minor', models.BigIntegerField()),
                    ('lines', models.JSONField()),
                    ('is_tax_known', models.BooleanField()),
                    ('issued_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('corrects', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='settlement.invoice')),
                    ('issuer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoices_issued', to='marketplace.organisation')),
                    ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices_received', to='marketplace.organisation')),
                    ('trade', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='settlement.trade')),
                ],
                options={
                    'verbose_name': 'invoice',
                    'verbose_name_plural': 'invoices',
                    'ordering': ['-pk'],
                },
            ),
            migrations.CreateModel(
                name='ElectronicInvoice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.CharField(max_length=20, unique=True)),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='electronic', to='settlement.invoice')),
                ],
                options={
                    'verbose_name': 'electronic invoice',
                    'verbose_name_plural': 'electronic invoices',
                },
            ),
        ]),
        Together([
            migrations.AddField(
                model_name='clearingcycle',
                name='invoiced_at',
                field=models.DateTimeField(blank=True, null=True),
            ),
            migrations.AddIndex(
                model_name='invoice',
                index=models.Index(fields=['recipient', 'id'], name='settlement__recipie_4d113d_idx'),
            ),
            migrations.AddIndex(
                model_name='invoice',
                index=models.Index(fields=['issuer', 'id'], name='settlement__issuer__60cf6a_idx'),
            ),
            migrations.AddConstraint(
                model_name='invoice',
                constraint=models.UniqueConstraint(fields=('issuer', 'year', 'number'), name='one_invoice_of_a_number', nulls_distinct=False),
            ),
            migrations.AddConstraint(
                model_name='invoice',
                constraint=models.UniqueConstraint(condition=models.Q(('corrects', None)), fields=('trade', 'kind'), name='one_invoice_of_a_kind_per_trade'),
            ),
            migrations.AddConstraint(
                model_name='invoice',
                constraint=models.CheckConstraint(condition=models.Q(('gross_minor__gt', 0), ('net_minor__gte', 0), ('net_minor__lte', models.F('gross_minor'))), name='invoice_is_of_a_sum'),
            ),
            migrations.AddConstraint(
                model_name='invoice',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('issuer__isnull', False), ('kind', 'licence')), models.Q(('issuer', None), ('kind', 'fee')), _connector='OR'), name='licence_is_the_sellers_and_fee_the_exchanges'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='invoice_is_of_its_trade_and_numbered_on', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE trade record; corrected record; credited record;', func="\n                    SELECT seller_id, buyer_id, currency, cleared_at INTO trade\n                        FROM settlement_trade WHERE id = NEW.trade_id;\n                    IF trade.cleared_at IS NULL OR trade.currency <> NEW.currency\n                    OR (NEW.kind = 'licence' AND (NEW.issuer_id, NEW.recipient_id) <> (trade.seller_id, trade.buyer_id))\n                    OR (NEW.kind = 'fee' AND NEW.recipient_id <> trade.seller_id) THEN\n                        RAISE 'this is no invoice of trade %', NEW.trade_id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.corrects_id IS NOT NULL THEN\n                        SELECT trade_id, kind, corrects_id, gross_minor, net_minor INTO corrected\n                            FROM settlement_invoice WHERE id = NEW.corrects_id FOR NO KEY UPDATE;\n                        SELECT coalesce(sum(gross_minor), 0) AS gross, coalesce(sum(net_minor), 0) AS net INTO credited\n                            FROM settlement_invoice WHERE corrects_id = NEW.corrects_id;\n                        IF (corrected.trade_id, corrected.kind) <> (NEW.trade_id, NEW.kind)\n                        OR corrected.corrects_id IS NOT NULL\n                        OR credited.gross + NEW.gross_minor > corrected.gross_minor\n                        OR credited.net + NEW.net_minor > corrected.net_minor THEN\n                            RAISE 'a credit note is of an invoice and never more than it'\n                            USING ERRCODE = 'check_violation';\n                        END IF;\n                    END IF;\n                    PERFORM pg_advisory_xact_lock(\n                        hashtextextended('invoice ' || coalesce(NEW.issuer_id, 0) || ' ' || NEW.year, 0)\n                    );\n                    IF NEW.issuer_id IS NULL THEN\n                        SELECT coalesce(max(number), 0) + 1 INTO NEW.number\n                            FROM settlement_invoice WHERE issuer_id IS NULL AND year = NEW.year;\n                    ELSE\n                        SELECT coalesce(max(number), 0) + 1 INTO NEW.number\n                            FROM settlement_invoice WHERE issuer_id = NEW.issuer_id AND year = NEW.year;\n                    END IF;\n                    RETURN NEW;\n                ", hash='2d3aee2d5d1caf51980eebd377bf6f27d501273c', operation='INSERT', pgid='pgtrigger_invoice_is_of_its_trade_and_numbered_on_737d3', table='settlement_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='bbee07824499fe46e4a3750b774b0915c13fd568', operation='UPDATE', pgid='pgtrigger_never_updated_2957e', table='settlement_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4f7a955eb9eda1c7a924479300bc5597f1b442a1', operation='DELETE', pgid='pgtrigger_never_deleted_276af', table='settlement_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='0d21e38c169d192dbca0e166436ff2d8407a721f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_5bcf3', table='settlement_invoice', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='electronicinvoice',
                constraint=models.CheckConstraint(condition=models.Q(('number__regex', '^[0-9]{20}$')), name='electronic_invoice_has_twenty_digits'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='electronicinvoice',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7e77a449c0ed19bb5ab05f2a613c6e635689d17f', operation='UPDATE', pgid='pgtrigger_never_updated_08ded', table='settlement_electronicinvoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='electronicinvoice',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3b9d72ca0e1a62ffd6141e8d14261568a172106c', operation='DELETE', pgid='pgtrigger_never_deleted_4d6bd', table='settlement_electronicinvoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='electronicinvoice',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='d9b74835b920d8c154ef7a8c4279bf56ca89aeb8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_ca4bf', table='settlement_electronicinvoice', when='BEFORE')),
            ),
        ]),
    ]
