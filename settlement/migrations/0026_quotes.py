"""What an organisation was quoted for an offer, and the trade it ordered by that."""

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

    dependencies = [
        ('listings', '0015_discounts'),
        ('marketplace', '0011_quotes_are_papers'),
        ('settlement', '0025_trades_under_a_discount'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='Quote',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=marketplace.models.new_public_id, editable=False, max_length=20, unique=True)),
                    ('price_minor', models.BigIntegerField(verbose_name='price')),
                    ('currency', models.CharField(max_length=3)),
                    ('quantity', models.PositiveIntegerField(blank=True, null=True, verbose_name='calls')),
                    ('unit_price_minor', models.BigIntegerField(blank=True, null=True, verbose_name='price of a call')),
                    ('purpose', models.TextField(blank=True, verbose_name='use')),
                    ('made_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('valid_until', models.DateTimeField()),
                    ('buyer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='marketplace.organisation')),
                    ('discount', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='listings.discount')),
                    ('made_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('offer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='listings.offer')),
                    ('trade', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quote', to='settlement.trade')),
                ],
                options={
                    'verbose_name': 'quote',
                    'verbose_name_plural': 'quotes',
                    'ordering': ['-pk'],
                    'indexes': [models.Index(fields=['buyer', '-id'], name='quotes_of_a_buyer')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('price_minor__gt', 0)), name='quote_names_a_price'), models.CheckConstraint(condition=models.Q(('valid_until__gt', models.F('made_at'))), name='quote_is_valid_for_some_time'), models.CheckConstraint(condition=models.Q(models.Q(('quantity', None), ('unit_price_minor', None)), models.Q(('price_minor', django.db.models.expressions.CombinedExpression(models.F('quantity'), '*', models.F('unit_price_minor'))), ('quantity__gt', 0), ('unit_price_minor__gt', 0)), _connector='OR'), name='quoted_block_costs_its_calls')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quote',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."offer_id" IS DISTINCT FROM (NEW."offer_id") OR OLD."buyer_id" IS DISTINCT FROM (NEW."buyer_id") OR OLD."discount_id" IS DISTINCT FROM (NEW."discount_id") OR OLD."price_minor" IS DISTINCT FROM (NEW."price_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."quantity" IS DISTINCT FROM (NEW."quantity") OR OLD."unit_price_minor" IS DISTINCT FROM (NEW."unit_price_minor") OR OLD."purpose" IS DISTINCT FROM (NEW."purpose") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."made_by_id" IS DISTINCT FROM (NEW."made_by_id") OR OLD."valid_until" IS DISTINCT FROM (NEW."valid_until"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b664a680c7ea19a2c28554e3913f19d5f8f2c1e2', operation='UPDATE', pgid='pgtrigger_facts_never_change_3aae1', table='settlement_quote', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quote',
                trigger=pgtrigger.compiler.Trigger(name='quote_is_of_the_offers_price_in_force', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM listings_offer o LEFT JOIN listings_discount d ON d.id = NEW.discount_id\n                            AND d.offer_id = o.id AND d.valid_from <= NEW.made_at\n                            AND least(d.valid_until, d.ended_at) > NEW.made_at AND d.valid_until >= NEW.valid_until\n                        WHERE o.id = NEW.offer_id AND o.closed_at IS NULL AND o.currency = NEW.currency\n                        AND (o.open_until >= NEW.valid_until) IS NOT FALSE\n                        AND d.id IS NOT DISTINCT FROM NEW.discount_id\n                        AND CASE WHEN o.steps = '[]' THEN NEW.quantity IS NULL AND NEW.price_minor = least(o.price_minor, greatest(1, o.price_minor * (100 - coalesce(d.percent, 0)) / 100))\n                            ELSE NEW.quantity <= o.most_quantity AND NEW.unit_price_minor = (\n                                SELECT min(least((s->>'unit_price_minor')::bigint, greatest(1, (s->>'unit_price_minor')::bigint * (100 - coalesce(d.percent, 0)) / 100))) FROM jsonb_array_elements(o.steps) s\n                                WHERE (s->>'from_quantity')::bigint <= NEW.quantity\n                            ) END\n                    ) THEN\n                        RAISE 'offer % does not sell at the price of quote %', NEW.offer_id, NEW.public_id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='f2e0825b43e2b952d8408493e4c5073e4c99ccc4', operation='INSERT', pgid='pgtrigger_quote_is_of_the_offers_price_in_force_d24f3', table='settlement_quote', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quote',
                trigger=pgtrigger.compiler.Trigger(name='quote_is_used_once_for_what_it_quotes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."trade_id" IS DISTINCT FROM (NEW."trade_id"))', func="\n                    IF OLD.trade_id IS NOT NULL OR NOT EXISTS (\n                        SELECT FROM settlement_trade t WHERE t.id = NEW.trade_id AND t.offer_id = NEW.offer_id\n                        AND t.buyer_id = NEW.buyer_id AND t.price_minor = NEW.price_minor\n                        AND t.quantity IS NOT DISTINCT FROM NEW.quantity AND t.proposed_at < NEW.valid_until\n                    ) THEN\n                        RAISE 'quote % does not lead to trade %', NEW.public_id, NEW.trade_id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='24a1852cc9520acbb4a5fb87669be16d32259ab5', operation='UPDATE', pgid='pgtrigger_quote_is_used_once_for_what_it_quotes_256d0', table='settlement_quote', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quote',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e14d34d3954ca6561e4034128804fe2a7113a117', operation='DELETE', pgid='pgtrigger_never_deleted_af8d5', table='settlement_quote', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quote',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='6cba3017722a80218e7403787af1b9010b9f4754', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_3deea', table='settlement_quote', when='BEFORE')),
            ),
        ]),
    ]
