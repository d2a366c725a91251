"""The taxes in a trade's price, and what taxpayer a member says it is."""

import django.db.models.deletion
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('marketplace', '0008_old_webhook_messages_are_forgotten'),
        ('settlement', '0012_what_the_bank_decided'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='TradeTax',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('revision', models.PositiveSmallIntegerField()),
                    ('gross_minor', models.BigIntegerField()),
                    ('net_minor', models.BigIntegerField()),
                    ('withheld_minor', models.BigIntegerField()),
                    ('lines', models.JSONField()),
                    ('is_known', models.BooleanField()),
                    ('rulebook', models.CharField(blank=True, default='', max_length=20)),
                    ('reason', models.TextField(blank=True, default='')),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                    ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('trade', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='taxes', to='settlement.trade')),
                ],
                options={
                    'verbose_name': 'tax of a trade',
                    'verbose_name_plural': 'taxes of trades',
                },
            ),
            migrations.CreateModel(
                name='TaxStatus',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('status', models.CharField(choices=[('general', 'General VAT taxpayer'), ('small_scale', 'Small-scale VAT taxpayer')], max_length=20)),
                    ('at', models.DateTimeField(default=marketplace.clock.now)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tax_statuses', to='marketplace.organisation')),
                ],
                options={
                    'verbose_name': 'tax status',
                    'verbose_name_plural': 'tax statuses',
                    'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['general', 'small_scale'])), name='tax_status_is_a_known_one')],
                },
            ),
        ]),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='taxstatus',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='679e3e064181ffe7d41eb181e58998b14aa12008', operation='UPDATE', pgid='pgtrigger_never_updated_6ae51', table='settlement_taxstatus', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='taxstatus',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='18cbe94998df4fecf31f6e082190b5cf745c4c13', operation='DELETE', pgid='pgtrigger_never_deleted_18996', table='settlement_taxstatus', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='taxstatus',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='8d420208c330f984c22895c07a78548be6029ddd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_1ec73', table='settlement_taxstatus', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='tradetax',
                constraint=models.UniqueConstraint(fields=('trade', 'revision'), name='one_tax_of_a_trade_and_revision'),
            ),
            migrations.AddConstraint(
                model_name='tradetax',
                constraint=models.CheckConstraint(condition=models.Q(('net_minor__gte', 0), ('net_minor__lte', models.F('gross_minor')), ('withheld_minor__gte', 0), ('withheld_minor__lte', models.F('gross_minor'))), name='tax_is_within_the_price'),
            ),
            migrations.AddConstraint(
                model_name='tradetax',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('by', None), ('reason', ''), ('revision', 1), models.Q(('rulebook', ''), _negated=True)), models.Q(('by__isnull', False), ('is_known', True), ('rulebook', ''), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='tax_is_by_the_rules_first_or_by_the_desk_with_a_reason'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tradetax',
                trigger=pgtrigger.compiler.Trigger(name='tax_is_of_the_price_and_before_the_money', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE trade record; vat bigint; withheld bigint;', func="\n                    SELECT price_minor, state INTO trade FROM settlement_trade\n                        WHERE id = NEW.trade_id FOR NO KEY UPDATE;\n                    IF trade.state NOT IN ('proposed', 'agreed', 'registered') THEN\n                        RAISE 'trade % is %: its tax stays', NEW.trade_id, trade.state\n                        USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT coalesce(sum((l->>'amount_minor')::bigint) FILTER (WHERE l->>'tax' = 'vat'), 0),\n                        coalesce(sum((l->>'amount_minor')::bigint) FILTER (WHERE l->>'how' = 'withheld'), 0)\n                        INTO vat, withheld FROM jsonb_array_elements(NEW.lines) l;\n                    IF NEW.gross_minor <> trade.price_minor OR NEW.net_minor <> NEW.gross_minor - vat\n                    OR NEW.withheld_minor <> withheld THEN\n                        RAISE 'the tax of trade % does not add up', NEW.trade_id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.revision <> 1 + (\n                        SELECT coalesce(max(revision), 0) FROM settlement_tradetax WHERE trade_id = NEW.trade_id\n                    ) THEN\n                        RAISE 'the tax of trade % has another revision', NEW.trade_id USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='1eba5aa7fd11a6acbefff2645ef7c5bd03e5d813', operation='INSERT', pgid='pgtrigger_tax_is_of_the_price_and_before_the_money_a478c', table='settlement_tradetax', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tradetax',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b75e3ef0b64af07c7991ddea4144f1c5cb037995', operation='UPDATE', pgid='pgtrigger_never_updated_f5641', table='settlement_tradetax', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tradetax',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f2f73458ece1cecfd032b3b004837fbd513a1dd3', operation='DELETE', pgid='pgtrigger_never_deleted_528db', table='settlement_tradetax', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tradetax',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='54f644e9dcc202d5fa9ccdc681dc3d9ff93755f0', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_d3aa1', table='settlement_tradetax', when='BEFORE')),
            ),
        ]),
    ]
