"""A part of what a member gets may be kept back for some days."""

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
        ('marketplace', '0010_announcements_are_of_known_kinds'),
        ('settlement', '0026_quotes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together([
            pgtrigger.migrations.RemoveTrigger(
                model_name='statement',
                name='balance_continues_and_is_that_of_the_books',
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
            migrations.CreateModel(
                name='ReserveTerms',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(blank=True, default='', max_length=3)),
                    ('basis_points', models.PositiveIntegerField()),
                    ('days', models.PositiveIntegerField()),
                    ('begins_on', models.DateField()),
                    ('ends_on', models.DateField(blank=True, null=True)),
                    ('reason', models.TextField()),
                    ('asked_at', models.DateTimeField(default=marketplace.clock.now)),
                    ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                    ('dropped_at', models.DateTimeField(blank=True, null=True)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('confirmed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('dropped_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reserve_terms', to='marketplace.organisation')),
                ],
                options={
                    'verbose_name': 'reserve terms',
                    'verbose_name_plural': 'reserve terms',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('basis_points__lte', 10000)), name='reserve_is_at_most_the_whole'),
                        models.CheckConstraint(condition=models.Q(('days__gte', 1), ('days__lte', 730)), name='reserve_is_kept_for_some_days'),
                        models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gte', models.F('begins_on')), _connector='OR'), name='reserve_terms_end_after_they_begin'),
                        models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='reserve_terms_have_a_reason'),
                        models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), ('confirmed_by__isnull', False)), _connector='OR'), name='confirmed_reserve_terms_say_by_whom'),
                        models.CheckConstraint(condition=models.Q(models.Q(('dropped_at__isnull', True), ('dropped_by__isnull', True)), models.Q(('dropped_at__isnull', False), ('dropped_by__isnull', False)), _connector='OR'), name='dropped_reserve_terms_say_by_whom'),
                        models.CheckConstraint(condition=models.Q(('confirmed_by', None), models.Q(('confirmed_by', models.F('asked_by')), _negated=True), _connector='OR'), name='reserve_terms_take_two_people'),
                        models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('dropped_at', None), _connector='OR'), name='reserve_terms_are_confirmed_or_dropped'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Reserve',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(max_length=3)),
                    ('amount_minor', models.BigIntegerField()),
                    ('release_on', models.DateField()),
                    ('drawn_minor', models.BigIntegerField(default=0)),
                    ('released_minor', models.BigIntegerField(default=0)),
                    ('released_on', models.DateField(blank=True, null=True)),
                    ('cycle', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reserves', to='settlement.clearingcycle')),
                    ('organisation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reserves', to='marketplace.organisation')),
                    ('released_in', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='released_reserves', to='settlement.clearingcycle')),
                    ('terms', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reserves', to='settlement.reserveterms')),
                ],
                options={
                    'verbose_name': 'amount in reserve',
                    'verbose_name_plural': 'amounts in reserve',
                    'indexes': [
                        models.Index(fields=['organisation', 'currency', 'release_on'], name='settlement__organis_b0541f_idx'),
                        models.Index(condition=models.Q(('released_in', None)), fields=['release_on'], name='reserves_to_be_released'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('cycle', 'organisation', 'currency'), name='one_reserve_per_member_and_cycle'),
                        models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='reserve_is_positive'),
                        models.CheckConstraint(condition=models.Q(('drawn_minor__gte', 0), ('drawn_minor__lte', models.F('amount_minor'))), name='reserve_is_drawn_at_most_whole'),
                        models.CheckConstraint(condition=models.Q(models.Q(('released_in__isnull', True), ('released_on__isnull', True)), models.Q(('released_in__isnull', False), ('released_on__isnull', False)), _connector='OR'), name='released_reserve_says_in_which_cycle'),
                        models.CheckConstraint(condition=models.Q(models.Q(('released_in', None), ('released_minor', 0)), ('released_minor', django.db.models.expressions.CombinedExpression(models.F('amount_minor'), '-', models.F('drawn_minor'))), _connector='OR'), name='reserve_is_released_whole'),
                        models.CheckConstraint(condition=models.Q(('released_in', None), ('released_minor__gt', 0), _connector='OR'), name='something_of_a_reserve_is_released'),
                        models.CheckConstraint(condition=models.Q(('released_on', None), ('released_on__gte', models.F('release_on')), _connector='OR'), name='reserve_is_released_on_its_day_or_later'),
                        models.CheckConstraint(condition=models.Q(('released_in', None), models.Q(('released_in', models.F('cycle')), _negated=True), _connector='OR'), name='reserve_is_released_by_a_later_cycle'),
                    ],
                },
            ),
            migrations.AddField(
                model_name='statement',
                name='released_minor',
                field=models.BigIntegerField(default=0),
            ),
            migrations.AddField(
                model_name='statement',
                name='reserve_minor',
                field=models.BigIntegerField(default=0),
            ),
            migrations.AddField(
                model_name='statement',
                name='reserved_minor',
                field=models.BigIntegerField(default=0),
            ),
            migrations.AlterField(
                model_name='account',
                name='kind',
                field=models.CharField(choices=[('outside', 'Outside'), ('escrow', 'Escrow'), ('fee', 'Fee income'), ('payable', 'Payable to member'), ('refund', 'Payable refund'), ('suspense', 'Suspense'), ('receivable', 'Receivable from member'), ('reserve', 'Reserve of member')], max_length=12),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='account',
                trigger=pgtrigger.compiler.Trigger(name='reserve_is_moved_as_its_rows_say', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."kind" = \'reserve\')', func="\n                    IF NEW.balance_minor <> (\n    SELECT coalesce(sum(amount_minor - drawn_minor - released_minor), 0) FROM settlement_reserve\n    WHERE organisation_id = NEW.organisation_id AND currency = NEW.currency\n) THEN\n                        RAISE 'account % would not hold what its reserves say', OLD.name\n                        USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='500d777f5b19c65b08b3abf99ab6e1eeb9e3166c', operation='UPDATE OF "balance_minor"', pgid='pgtrigger_reserve_is_moved_as_its_rows_say_ad05f', table='settlement_account', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='statement',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cycle_id" IS DISTINCT FROM (NEW."cycle_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."gross_minor" IS DISTINCT FROM (NEW."gross_minor") OR OLD."fee_minor" IS DISTINCT FROM (NEW."fee_minor") OR OLD."shares_received_minor" IS DISTINCT FROM (NEW."shares_received_minor") OR OLD."shares_given_minor" IS DISTINCT FROM (NEW."shares_given_minor") OR OLD."recovered_minor" IS DISTINCT FROM (NEW."recovered_minor") OR OLD."net_minor" IS DISTINCT FROM (NEW."net_minor") OR OLD."reserved_minor" IS DISTINCT FROM (NEW."reserved_minor") OR OLD."released_minor" IS DISTINCT FROM (NEW."released_minor") OR OLD."opening_minor" IS DISTINCT FROM (NEW."opening_minor") OR OLD."other_minor" IS DISTINCT FROM (NEW."other_minor") OR OLD."closing_minor" IS DISTINCT FROM (NEW."closing_minor") OR OLD."reserve_minor" IS DISTINCT FROM (NEW."reserve_minor") OR OLD."last_transfer" IS DISTINCT FROM (NEW."last_transfer"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b62f3e93989e24ba2a91ec4db379508248fea369', operation='UPDATE', pgid='pgtrigger_facts_never_change_d77e1', table='settlement_statement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='statement',
                trigger=pgtrigger.compiler.Trigger(name='balance_continues_and_is_that_of_the_books', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE closed BIGINT; held BIGINT; kept BIGINT; owed NUMERIC;', func="\n                    SELECT balance_minor INTO held FROM settlement_account\n                        WHERE name = 'payable:' || NEW.organisation_id || ':' || NEW.currency FOR NO KEY UPDATE;\n                    SELECT balance_minor INTO kept FROM settlement_account\n                        WHERE name = 'reserve:' || NEW.organisation_id || ':' || NEW.currency;\n                    SELECT closing_minor INTO closed FROM settlement_statement\n                        WHERE organisation_id = NEW.organisation_id AND currency = NEW.currency\n                        ORDER BY id DESC LIMIT 1;\n                    IF NEW.opening_minor <> coalesce(closed, 0) THEN\n                        RAISE 'the statement opens at %, the one before closed at %', NEW.opening_minor, closed\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    SELECT coalesce((SELECT sum(amount_minor) FROM settlement_transfer WHERE debit_id = a.id), 0)\n                            - coalesce((SELECT sum(amount_minor) FROM settlement_transfer WHERE credit_id = a.id), 0)\n                        INTO owed FROM settlement_account a\n                        WHERE a.name = 'receivable:' || NEW.organisation_id || ':' || NEW.currency;\n                    IF NEW.reserve_minor <> coalesce(kept, 0)\n                    OR NEW.closing_minor <> coalesce(held, 0) + NEW.reserve_minor - coalesce(owed, 0) THEN\n                        RAISE 'the statement closes at %, the books hold % and %, and are owed %',\n                            NEW.closing_minor, held, kept, owed USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='c58416525d99176a69194b134786ccd02e766284', operation='INSERT', pgid='pgtrigger_balance_continues_and_is_that_of_the_books_40fb5', table='settlement_statement', when='BEFORE')),
            ),
            migrations.AddConstraint(
                model_name='statement',
                constraint=models.CheckConstraint(condition=models.Q(('net_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('gross_minor'), '-', models.F('fee_minor')), '+', models.F('shares_received_minor')), '-', models.F('shares_given_minor')), '-', models.F('recovered_minor')), '-', models.F('reserved_minor')), '+', models.F('released_minor')))), name='statement_adds_up'),
            ),
            migrations.AddConstraint(
                model_name='statement',
                constraint=models.CheckConstraint(condition=models.Q(('closing_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('opening_minor'), '+', models.F('other_minor')), '+', models.F('net_minor')), '+', models.F('recovered_minor')), '+', models.F('reserved_minor')), '-', models.F('released_minor')))), name='statement_runs_from_opening_to_closing'),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserveterms',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."basis_points" IS DISTINCT FROM (NEW."basis_points") OR OLD."days" IS DISTINCT FROM (NEW."days") OR OLD."begins_on" IS DISTINCT FROM (NEW."begins_on") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2c838731fb06f94e6ad66c5c607d187eda361018', operation='UPDATE', pgid='pgtrigger_facts_never_change_d534a', table='settlement_reserveterms', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserveterms',
                trigger=pgtrigger.compiler.Trigger(name='decided_once_and_ended_by_what_follows', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.dropped_at IS NOT NULL OR OLD.confirmed_at IS NOT NULL AND (\n                        (NEW.confirmed_at, NEW.confirmed_by_id) IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by_id)\n                        OR NEW.dropped_at IS NOT NULL\n                    ) THEN\n                        RAISE 'reserve terms % were decided on', OLD.id USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF NEW.ends_on IS NULL AND OLD.ends_on IS NOT NULL OR NEW.ends_on > OLD.ends_on THEN\n                        RAISE 'reserve terms % do not last longer than agreed', OLD.id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='9e409e36fa19a176671dfbbc5863e43c7f7406cb', operation='UPDATE', pgid='pgtrigger_decided_once_and_ended_by_what_follows_7954b', table='settlement_reserveterms', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserveterms',
                trigger=pgtrigger.compiler.Trigger(name='one_reserve_of_a_member_and_currency_at_a_time', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."confirmed_at" IS NOT NULL)', func="\n                    PERFORM FROM marketplace_organisation WHERE id = NEW.organisation_id FOR NO KEY UPDATE;\n                    IF EXISTS (\n                        SELECT FROM settlement_reserveterms o\n                        WHERE o.organisation_id = NEW.organisation_id AND o.currency = NEW.currency\n                        AND o.confirmed_at IS NOT NULL AND o.id <> NEW.id\n                        AND daterange(o.begins_on, o.ends_on, '[]') && daterange(NEW.begins_on, NEW.ends_on, '[]')\n                    ) THEN\n                        RAISE 'reserve terms % overlap others of that member', NEW.id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='5ed0ab746a9a4b9027d7218c97188bb49cf8aa5c', operation='INSERT OR UPDATE', pgid='pgtrigger_one_reserve_of_a_member_and_currency_at_a_time_89536', table='settlement_reserveterms', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserveterms',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='5b037b6e1865024953db315963c712287c48f4db', operation='DELETE', pgid='pgtrigger_never_deleted_e6fe3', table='settlement_reserveterms', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserveterms',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='cc0432e5e17ba261b6e27942feb06e09fedd76c4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_34e7a', table='settlement_reserveterms', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserve',
                trigger=pgtrigger.compiler.Trigger(name='facts_never_change', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cycle_id" IS DISTINCT FROM (NEW."cycle_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."terms_id" IS DISTINCT FROM (NEW."terms_id") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."release_on" IS DISTINCT FROM (NEW."release_on"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='99180f138afd1ea3afd7fd80ed352804dcb79f38', operation='UPDATE', pgid='pgtrigger_facts_never_change_71e58', table='settlement_reserve', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserve',
                trigger=pgtrigger.compiler.Trigger(name='kept_by_terms_of_that_member', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.drawn_minor <> 0 OR NEW.released_in_id IS NOT NULL OR NOT EXISTS (\n                        SELECT FROM settlement_reserveterms t WHERE t.id = NEW.terms_id\n                        AND t.organisation_id = NEW.organisation_id AND t.currency IN ('', NEW.currency)\n                        AND t.confirmed_at IS NOT NULL AND t.begins_on <= NEW.release_on - t.days::integer\n                        AND coalesce(t.ends_on, 'infinity') >= NEW.release_on - t.days::integer\n                    ) THEN\n                        RAISE 'no terms in force keep back anything of member %', NEW.organisation_id\n                            USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='d43f77c4ce600f4462b6d47b148b88e98716023c', operation='INSERT', pgid='pgtrigger_kept_by_terms_of_that_member_bbaaf', table='settlement_reserve', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserve',
                trigger=pgtrigger.compiler.Trigger(name='drawn_before_it_is_released_and_released_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.released_in_id IS NOT NULL OR NEW.drawn_minor < OLD.drawn_minor THEN\n                        RAISE 'reserve % was released or drawn', OLD.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NEW;\n                ", hash='950fc005332ecf3a70f8d21102c8d366fd1e3eda', operation='UPDATE', pgid='pgtrigger_drawn_before_it_is_released_and_released_once_f6b26', table='settlement_reserve', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserve',
                trigger=pgtrigger.compiler.Trigger(name='reserve_is_in_the_books', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE held BIGINT;', func="\n                    SELECT balance_minor INTO held FROM settlement_account\n                        WHERE name = 'reserve:' || NEW.organisation_id || ':' || NEW.currency;\n                    IF coalesce(held, 0) <> (\n    SELECT coalesce(sum(amount_minor - drawn_minor - released_minor), 0) FROM settlement_reserve\n    WHERE organisation_id = NEW.organisation_id AND currency = NEW.currency\n) THEN\n                        RAISE 'the books do not hold what reserve % says', NEW.id USING ERRCODE = 'check_violation';\n                    END IF; RETURN NULL;\n                ", hash='54fe162e381cf899aee983316bebe11ad636075a', operation='INSERT OR UPDATE', pgid='pgtrigger_reserve_is_in_the_books_38773', table='settlement_reserve', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserve',
                trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3b5734cc16ee536a06f632e9c61281dcc11d257f', operation='DELETE', pgid='pgtrigger_never_deleted_0fd7b', table='settlement_reserve', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reserve',
                trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE 'this table is never emptied' USING ERRCODE = 'check_violation';", hash='9aa7013d495167f5abf11430fd6b51c8a2401ab1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_2ab86', table='settlement_reserve', when='BEFORE')),
            ),
        ]),
    ]
