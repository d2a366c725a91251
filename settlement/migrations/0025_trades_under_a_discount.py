"""A trade names the discount it was proposed under, and costs its block less that."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    dependencies = [
        ('listings', '0015_discounts'),
        ('settlement', '0024_free_trials'),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='trade',
                name='quantity_and_unit_price_are_the_offers',
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='trade',
                name='facts_never_change',
            ),
            migrations.AddField(
                model_name='trade',
                name='discount',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='trades', to='listings.discount'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."offer_id" IS DISTINCT FROM (NEW."offer_id") OR OLD."listing_id" IS DISTINCT FROM (NEW."listing_id") OR OLD."version_id" IS DISTINCT FROM (NEW."version_id") OR OLD."release_id" IS DISTINCT FROM (NEW."release_id") OR OLD."seller_id" IS DISTINCT FROM (NEW."seller_id") OR OLD."buyer_id" IS DISTINCT FROM (NEW."buyer_id") OR OLD."discount_id" IS DISTINCT FROM (NEW."discount_id") OR OLD."price_minor" IS DISTINCT FROM (NEW."price_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."quantity" IS DISTINCT FROM (NEW."quantity") OR OLD."unit_price_minor" IS DISTINCT FROM (NEW."unit_price_minor") OR OLD."terms" IS DISTINCT FROM (NEW."terms") OR OLD."contract_version" IS DISTINCT FROM (NEW."contract_version") OR OLD."jurisdiction" IS DISTINCT FROM (NEW."jurisdiction") OR OLD."text_digest" IS DISTINCT FROM (NEW."text_digest") OR OLD."fee_schedule_id" IS DISTINCT FROM (NEW."fee_schedule_id") OR OLD."renews_id" IS DISTINCT FROM (NEW."renews_id") OR OLD."is_trial" IS DISTINCT FROM (NEW."is_trial") OR OLD."crossborder" IS DISTINCT FROM (NEW."crossborder") OR OLD."inspection_days" IS DISTINCT FROM (NEW."inspection_days") OR OLD."purpose" IS DISTINCT FROM (NEW."purpose") OR OLD."purchase_order" IS DISTINCT FROM (NEW."purchase_order") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8f914e5208b7e3b568344a846337c5c6e5c995b9', operation='UPDATE', pgid='pgtrigger_facts_never_change_6f739', table='settlement_trade', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='quantity_and_unit_price_are_the_offers', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (\n                        SELECT FROM listings_offer o LEFT JOIN listings_discount d ON d.id = NEW.discount_id\n                        WHERE o.id = NEW.offer_id AND CASE\n                            WHEN o.steps = '[]' THEN NEW.quantity IS NULL\n                            ELSE NEW.quantity <= o.most_quantity AND NEW.unit_price_minor = (\n                                SELECT min(least((s->>'unit_price_minor')::bigint, greatest(1, (s->>'unit_price_minor')::bigint * (100 - coalesce(d.percent, 0)) / 100))) FROM jsonb_array_elements(o.steps) s\n                                WHERE (s->>'from_quantity')::bigint <= NEW.quantity\n                            )\n                        END\n                    ) THEN\n                        RAISE 'offer % does not sell % calls at % each', NEW.offer_id, NEW.quantity,\n                            NEW.unit_price_minor USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='e846bf2d964601f7b2bb60db3a3a4143e859fdea', operation='INSERT', pgid='pgtrigger_quantity_and_unit_price_are_the_offers_1ffe0', table='settlement_trade', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='trade',
                trigger=pgtrigger.compiler.Trigger(name='discount_is_the_offers_and_in_force', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."discount_id" IS NOT NULL)', func="\n                    IF NOT EXISTS (\n                        SELECT FROM listings_discount d WHERE d.id = NEW.discount_id AND d.offer_id = NEW.offer_id\n                        AND d.valid_from <= NEW.proposed_at AND least(d.valid_until, d.ended_at) > NEW.proposed_at\n                    ) THEN\n                        RAISE 'discount % is not in force for offer %', NEW.discount_id, NEW.offer_id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='5335163a2b4d856abdc40e3dec7a504f3e134c81', operation='INSERT', pgid='pgtrigger_discount_is_the_offers_and_in_force_0e6c4', table='settlement_trade', when='BEFORE')),
            ),
        ]),
    ]
