"""How a product's revenue is shared, agreed by everybody named and frozen into each trade."""

import django.db.models.deletion
import django.db.models.expressions
import marketplace.clock
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from marketplace.together import Together


class Migration(migrations.Migration):

    safe_because = "it comes before the first release: no exchange that is at work has cleared anything yet"

    dependencies = [
        ('listings', '0012_shelf_prices_in_the_row'),
        ('marketplace', '0009_invoices_are_papers'),
        ('settlement', '0021_what_can_only_go_back'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='RevenueSplit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('proposed', 'Waits for agreement'), ('in_force', 'In force'), ('replaced', 'Replaced'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                    ('proposed_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('in_force_at', models.DateTimeField(blank=True, null=True)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('listing', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='splits', to='listings.listing')),
                    ('replaces', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='settlement.revenuesplit')),
                ],
                options={
                    'verbose_name': 'revenue split',
                    'verbose_name_plural': 'revenue splits',
                    'ordering': ['-pk'],
                    'indexes': [models.Index(fields=['listing', '-id'], name='revenue_splits_of_a_product')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'in_force')), fields=('listing',), name='one_split_of_a_product_in_force'), models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('listing',), name='one_split_of_a_product_waits'), models.CheckConstraint(condition=models.Q(models.Q(('in_force_at__isnull', False), ('state__in', ['in_force', 'replaced'])), models.Q(('in_force_at', None), ('state__in', ['proposed', 'declined', 'withdrawn'])), _connector='OR'), name='split_in_force_says_since_when'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('state__in', ['proposed', 'in_force'])), models.Q(('ended_at__isnull', False), ('state__in', ['replaced', 'declined', 'withdrawn'])), _connector='OR'), name='split_that_ended_says_when')],
                },
            ),
            migrations.CreateModel(
                name='RevenueShare',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('right_holder', 'Right-holder'), ('public_authority', 'Public authority'), ('broker', 'Broker'), ('upstream', 'Upstream licensor')], max_length=20)),
                    ('basis_points', models.PositiveSmallIntegerField()),
                    ('agreed_at', models.DateTimeField(blank=True, null=True)),
                    ('agreed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('payee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revenue_shares', to='marketplace.organisation')),
                    ('upstream', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='listings.listing')),
                    ('split', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='settlement.revenuesplit')),
                ],
                options={
                    'verbose_name': 'revenue share',
                    'verbose_name_plural': 'revenue shares',
                    'ordering': ['pk'],
                    'constraints': [models.UniqueConstraint(fields=('split', 'payee', 'kind', 'upstream'), name='one_share_of_a_kind_for_each', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('basis_points__lte', 10000)), name='share_is_at_most_the_whole'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'upstream'), ('upstream__isnull', False)), models.Q(('kind__in', ['right_holder', 'public_authority', 'broker']), ('upstream', None)), _connector='OR'), name='upstream_share_names_its_product'), models.CheckConstraint(condition=models.Q(models.Q(('agreed_at__isnull', True), ('agreed_by__isnull', True)), models.Q(('agreed_at__isnull', False), ('agreed_by__isnull', False)), _connector='OR'), name='agreed_share_says_by_whom')],
                },
            ),
            migrations.CreateModel(
                name='TradeShare',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveSmallIntegerField()),
                    ('share', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trades', to='settlement.revenueshare')),
                    ('trade', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='settlement.trade')),
                ],
                options={
                    'verbose_name': 'share of a trade',
                    'verbose_name_plural': 'shares of trades',
                    'ordering': ['trade', 'position'],
                    'constraints': [models.UniqueConstraint(fields=('trade', 'position'), name='one_share_of_a_trade_in_a_place'), models.UniqueConstraint(fields=('trade', 'share'), name='a_share_counts_once_in_a_trade')],
                },
            ),
        ]),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='only_declared_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{in_force:replaced,proposed:declined,proposed:in_force,proposed:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='ff66e6d17f2f02453bfd116d20ffdb4bb3616dae', operation='UPDATE', pgid='pgtrigger_only_declared_moves_2295d', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='born_in_first_state', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" IS DISTINCT FROM \'proposed\')', func="RAISE 'a row is born proposed, not %', NEW.state USING ERRCODE = 'check_violation';", hash='57255979bcf03461ebb50203693f02b99a4c2d5f', operation='INSERT', pgid='pgtrigger_born_in_first_state_52c23', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."listing_id" IS DISTINCT FROM (NEW."listing_id") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='dc51d89deec926a991dd4c41cb14cc6a472bb048', operation='UPDATE', pgid='pgtrigger_facts_never_change_fa22f', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='replaces_the_split_in_force', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.replaces_id IS DISTINCT FROM (\n                        SELECT id FROM settlement_revenuesplit\n                        WHERE listing_id = NEW.listing_id AND state = 'in_force'\n                    ) THEN\n                        RAISE 'a split replaces the one in force' USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='a7915837ab6ac54fb059efd751564967b172e386', operation='INSERT', pgid='pgtrigger_replaces_the_split_in_force_2ea9c', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='in_force_once_agreed_and_in_no_circle', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'in_force\')', func="\n                    PERFORM pg_advisory_xact_lock(hashtextextended('revenue splits', 0));\n                    IF (SELECT bool_and(agreed_at IS NOT NULL) FROM settlement_revenueshare WHERE split_id = NEW.id)\n                    IS NOT TRUE THEN\n                        RAISE 'split % lacks an agreement', NEW.id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF EXISTS (\n                        SELECT FROM settlement_revenueshare o\n                        WHERE o.split_id = NEW.replaces_id AND o.basis_points > 0 AND NOT EXISTS (\n                            SELECT FROM settlement_revenueshare n\n                            WHERE n.split_id = NEW.id AND n.payee_id = o.payee_id\n                        )\n                    ) THEN\n                        RAISE 'split % leaves out whom the one in force names', NEW.id\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.listing_id IN (\n    WITH RECURSIVE reached AS (\n        \n    SELECT upstream_id FROM settlement_revenueshare\n    WHERE split_id = NEW.id AND upstream_id IS NOT NULL AND basis_points > 0\n\n        UNION\n        SELECT s.upstream_id FROM reached r\n        JOIN settlement_revenuesplit p ON p.listing_id = r.upstream_id AND p.state = 'in_force'\n        JOIN settlement_revenueshare s ON s.split_id = p.id\n        WHERE s.upstream_id IS NOT NULL AND s.basis_points > 0\n    ) SELECT upstream_id FROM reached\n) THEN\n                        RAISE 'split % closes a circle', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='9da1f47d342f34435d4d9215a5f90b35ff5092c1', operation='UPDATE OF "state"', pgid='pgtrigger_in_force_once_agreed_and_in_no_circle_4138f', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='58e274b78fcd22bd02e55a192022a5dc52e2af60', operation='DELETE', pgid='pgtrigger_never_deleted_3ccce', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenuesplit',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='ee0822dba45cf36fe10c6b592c58c7abd8cd9a28', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_053b4', table='settlement_revenuesplit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenueshare',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."split_id" IS DISTINCT FROM (NEW."split_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."payee_id" IS DISTINCT FROM (NEW."payee_id") OR OLD."upstream_id" IS DISTINCT FROM (NEW."upstream_id") OR OLD."basis_points" IS DISTINCT FROM (NEW."basis_points"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6deb5807e8982283ee4f74e4b609e8cacfee6195', operation='UPDATE', pgid='pgtrigger_facts_never_change_32df8', table='settlement_revenueshare', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenueshare',
                trigger=pgtrigger.compiler.Trigger(name='share_is_of_anothers_product_and_fits', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE split record;', func="\n                    SELECT p.state, p.listing_id, l.seller_id INTO split\n                        FROM settlement_revenuesplit p JOIN listings_listing l ON l.id = p.listing_id\n                        WHERE p.id = NEW.split_id FOR NO KEY UPDATE OF p;\n                    IF split.state <> 'proposed' OR NEW.agreed_at IS NOT NULL OR EXISTS (\n                        SELECT FROM settlement_revenueshare WHERE split_id = NEW.split_id AND agreed_at IS NOT NULL\n                    ) THEN\n                        RAISE 'split % is laid down', NEW.split_id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.payee_id = split.seller_id OR NEW.payee_id <> (\n                        SELECT seller_id FROM listings_listing WHERE id = NEW.upstream_id\n                    ) THEN\n                        RAISE 'a share is another organisation’s, and upstream that product’s seller’s'\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.basis_points + (\n                        SELECT coalesce(sum(basis_points), 0) FROM settlement_revenueshare\n                        WHERE split_id = NEW.split_id\n                    ) > 10000 THEN\n                        RAISE 'the shares of split % are more than the whole', NEW.split_id\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.basis_points > 0 AND split.listing_id IN (\n                        \n    WITH RECURSIVE reached AS (\n        SELECT NEW.upstream_id AS upstream_id\n        UNION\n        SELECT s.upstream_id FROM reached r\n        JOIN settlement_revenuesplit p ON p.listing_id = r.upstream_id AND p.state = 'in_force'\n        JOIN settlement_revenueshare s ON s.split_id = p.id\n        WHERE s.upstream_id IS NOT NULL AND s.basis_points > 0\n    ) SELECT upstream_id FROM reached\n\n                    ) THEN\n                        RAISE 'split % closes a circle', NEW.split_id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='8e32e374df8bb0403b6f6cf3f30679b8b3cc6d19', operation='INSERT', pgid='pgtrigger_share_is_of_anothers_product_and_fits_8d453', table='settlement_revenueshare', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenueshare',
                trigger=pgtrigger.compiler.Trigger(name='agreed_once_while_it_waits', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.agreed_at IS NOT NULL OR (\n                        SELECT state FROM settlement_revenuesplit WHERE id = NEW.split_id\n                    ) <> 'proposed' THEN\n                        RAISE 'share % was decided on', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='706d81b109ae8c633f4a68dc6e0ed22b7cef1f69', operation='UPDATE', pgid='pgtrigger_agreed_once_while_it_waits_2ddaa', table='settlement_revenueshare', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenueshare',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4a3cccaffc1866da4faadd9790bbabd8e3f6107d', operation='DELETE', pgid='pgtrigger_never_deleted_c51e1', table='settlement_revenueshare', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='revenueshare',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='23d990652d705cfae484c383dbdfd0b733636cc7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_425c3', table='settlement_revenueshare', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tradeshare',
                trigger=pgtrigger.compiler.Trigger(name='share_is_in_force_and_after_what_feeds_it', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE trade record; share record;', func="\n                    SELECT state, listing_id, buyer_id INTO trade FROM settlement_trade WHERE id = NEW.trade_id;\n                    SELECT s.kind, s.payee_id, s.upstream_id, s.basis_points, p.listing_id, p.state INTO share\n                        FROM settlement_revenueshare s JOIN settlement_revenuesplit p ON p.id = s.split_id\n                        WHERE s.id = NEW.share_id;\n                    IF trade.state <> 'proposed' OR share.state <> 'in_force' OR share.basis_points = 0\n                    OR share.kind = 'broker' AND share.payee_id = trade.buyer_id THEN\n                        RAISE 'share % does not count for trade %', NEW.share_id, NEW.trade_id\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF share.listing_id <> trade.listing_id AND NOT EXISTS (\n                        SELECT FROM settlement_tradeshare b JOIN settlement_revenueshare u ON u.id = b.share_id\n                        WHERE b.trade_id = NEW.trade_id AND b.position < NEW.position\n                        AND u.upstream_id = share.listing_id\n                    ) OR EXISTS (\n                        SELECT FROM settlement_tradeshare b JOIN settlement_revenueshare u ON u.id = b.share_id\n                        JOIN settlement_revenuesplit p ON p.id = u.split_id\n                        WHERE b.trade_id = NEW.trade_id AND b.position < NEW.position\n                        AND p.listing_id = share.upstream_id\n                    ) THEN\n                        RAISE 'share % of trade % is out of its place', NEW.share_id, NEW.trade_id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='013b1d6af33035a5aa2ffc854c6b282323fb1d9a', operation='INSERT', pgid='pgtrigger_share_is_in_force_and_after_what_feeds_it_807f7', table='settlement_tradeshare', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tradeshare',
                trigger=pgtrigger.compiler.Trigger(name='never_updated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='360b02f3b4c3d2aaf020c220a3c26e33e833c32d', operation='UPDATE', pgid='pgtrigger_never_updated_7921a', table='settlement_tradeshare', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tradeshare',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1b3e99bc2bf2da8a103edb13220026d2f3d09438', operation='DELETE', pgid='pgtrigger_never_deleted_273dd', table='settlement_tradeshare', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tradeshare',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='6ecc49b225944227add37eda105192aa877b0379', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_2b478', table='settlement_tradeshare', when='BEFORE')),
            ),
            pgtrigger.migrations.RemoveTrigger(
                model_name='statement',
                name='facts_never_change',
            ),
            migrations.RemoveConstraint(
                model_name='statement',
                name='statement_adds_up',
            ),
            migrations.RemoveConstraint(
                model_name='statement',
                name='statement_runs_from_opening_to_closing',
            ),
            migrations.AddField(
                model_name='statement',
                name='shares_given_minor',
                field=models.BigIntegerField(default=0),
            ),
            migrations.AddField(
                model_name='statement',
                name='shares_received_minor',
                field=models.BigIntegerField(default=0),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='statement',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cycle_id" IS DISTINCT FROM (NEW."cycle_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."gross_minor" IS DISTINCT FROM (NEW."gross_minor") OR OLD."fee_minor" IS DISTINCT FROM (NEW."fee_minor") OR OLD."shares_received_minor" IS DISTINCT FROM (NEW."shares_received_minor") OR OLD."shares_given_minor" IS DISTINCT FROM (NEW."shares_given_minor") OR OLD."recovered_minor" IS DISTINCT FROM (NEW."recovered_minor") OR OLD."net_minor" IS DISTINCT FROM (NEW."net_minor") OR OLD."opening_minor" IS DISTINCT FROM (NEW."opening_minor") OR OLD."other_minor" IS DISTINCT FROM (NEW."other_minor") OR OLD."closing_minor" IS DISTINCT FROM (NEW."closing_minor") OR OLD."last_transfer" IS DISTINCT FROM (NEW."last_transfer"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2aedcef9b13c66e00a3c5f56dde829109a691500', operation='UPDATE', pgid='pgtrigger_facts_never_change_d77e1', table='settlement_statement', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='statement',
                constraint=models.CheckConstraint(condition=models.Q(('net_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('gross_minor'), '-', models.F('fee_minor')), '+', models.F('shares_received_minor')), '-', models.F('shares_given_minor')), '-', models.F('recovered_minor')))), name='statement_adds_up'),
            ),
            migrations.AddConstraint(
                model_name='statement',
                constraint=models.CheckConstraint(condition=models.Q(('closing_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('opening_minor'), '+', models.F('other_minor')), '+', models.F('net_minor')), '+', models.F('recovered_minor')))), name='statement_runs_from_opening_to_closing'),
            ),
        ]),
    ]
