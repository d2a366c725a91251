"""What PostgreSQL refuses, whoever asks: every undeclared move of every machine, and every birth in the wrong state."""

from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from compliance import states as c
from listings import states as p
from marketplace.guards import Moves, pairs
from settlement import states as s

MACHINES: dict[str, tuple[type, Moves]] = {
    "listings_version": (p.VersionState, p.VERSION_MOVES),
    "listings_listing": (p.ListingState, p.LISTING_MOVES),
    "listings_profile": (p.ProfileState, p.PROFILE_MOVES),
    "listings_upload": (p.UploadState, p.UPLOAD_MOVES),
    "listings_objection": (p.ObjectionState, p.OBJECTION_MOVES),
    "listings_listingreport": (p.ReportState, p.REPORT_MOVES),
    "compliance_verification": (c.VerificationState, c.VERIFICATION_MOVES),
    "compliance_review": (c.ReviewState, c.REVIEW_MOVES),
    "compliance_demand": (c.DemandState, c.DEMAND_MOVES),
    "compliance_demandresponse": (c.ResponseState, c.RESPONSE_MOVES),
    "settlement_trade": (s.TradeState, s.TRADE_MOVES),
    "settlement_payment": (s.PaymentState, s.PAYMENT_MOVES),
    "settlement_refund": (s.OutgoingState, s.OUTGOING_MOVES),
    "settlement_payout": (s.OutgoingState, s.OUTGOING_MOVES),
    "settlement_grant": (s.GrantState, s.GRANT_MOVES),
    "settlement_clearingcycle": (s.CycleState, s.CYCLE_MOVES),
    "settlement_dispute": (s.DisputeState, s.DISPUTE_MOVES),
    "settlement_chargeback": (s.ChargebackState, s.CHARGEBACK_MOVES),
    "settlement_renewal": (s.RenewalState, s.RENEWAL_MOVES),
    "settlement_revenuesplit": (s.SplitState, s.SPLIT_MOVES),
}


def undeclared(table: str) -> list[tuple[str, str]]:
    states, moves = MACHINES[table]
    declared = set(pairs(moves))
    return [
        (before.value, after.value)
        for before, after in itertools.permutations(states, 2)
        if (before.value, after.value) not in declared
    ]


def test_every_state_has_a_line_in_its_map():
    for table, (states, moves) in MACHINES.items():
        assert {state.value for state in states} == {str(state) for state in moves}, table


@pytest.mark.django_db
def test_no_machine_is_forgotten():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'pgtrigger_only_declared_moves%'"
        )
        assert {table for (table,) in cursor.fetchall()} == set(MACHINES)


@pytest.mark.django_db
@pytest.mark.parametrize("table", MACHINES)
def test_database_refuses_every_undeclared_move(table):
    """A copy of the table with the real one's trigger holds a row in each state; each raw UPDATE must raise."""
    states, moves = MACHINES[table]
    assert undeclared(table)
    with connection.cursor() as cursor:
        _copy_with_moves_trigger(cursor, table)
        for before, after in undeclared(table):
            cursor.execute("INSERT INTO machine (state) VALUES (%s) RETURNING id", [before])
            row = cursor.fetchone()[0]
            with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
                cursor.execute("UPDATE machine SET state = %s WHERE id = %s", [after, row])
            cursor.execute("SELECT state FROM machine WHERE id = %s", [row])
            assert cursor.fetchone()[0] == before, f"{table}: {before} → {after}"
        for before, after in pairs(moves):
            cursor.execute("INSERT INTO machine (state) VALUES (%s) RETURNING id", [before])
            row = cursor.fetchone()[0]
            cursor.execute("UPDATE machine SET state = %s WHERE id = %s", [after, row])


def _copy_with_moves_trigger(cursor, table: str) -> None:
    """A table of two columns with the real table's trigger function for moves, so that rows can be put in any state."""
    cursor.execute("CREATE TEMP TABLE machine (id serial PRIMARY KEY, state text NOT NULL) ON COMMIT DROP")
    cursor.execute(
        """SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t
           WHERE t.tgrelid = %s::regclass AND t.tgname LIKE 'pgtrigger_only_declared_moves%%' AND t.tgenabled = 'O'""",
        [table],
    )
    (definition,) = cursor.fetchone()
    cursor.execute(definition.replace(f"ON public.{table} ", "ON machine "))


@pytest.mark.django_db
@pytest.mark.parametrize("table", MACHINES)
def test_rows_are_born_in_their_first_state(table):
    states, _moves = MACHINES[table]
    first = next(iter(states)).value
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE machine (id serial PRIMARY KEY, state text NOT NULL) ON COMMIT DROP")
        cursor.execute(
            """SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t
               WHERE t.tgrelid = %s::regclass AND t.tgname LIKE 'pgtrigger_born_in_first_state%%'
               AND t.tgenabled = 'O'""",
            [table],
        )
        (definition,) = cursor.fetchone()
        cursor.execute(definition.replace(f"ON public.{table} ", "ON machine "))
        cursor.execute("INSERT INTO machine (state) VALUES (%s)", [first])
        for state in [one.value for one in states if one.value != first]:
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute("INSERT INTO machine (state) VALUES (%s)", [state])
        cursor.execute("SELECT array_agg(state) FROM machine")
        assert cursor.fetchone()[0] == [first]


@pytest.mark.django_db
def test_every_table_of_ours_refuses_truncate():
    """Whatever is kept for evidence cannot be emptied; the few tables that may be swept are named."""
    may_be_swept = {
        "listings_upload", "listings_offerbuyer", "marketplace_membership", "marketplace_keyedcommand",
        "marketplace_follower",
        "marketplace_invitation", "marketplace_accesstoken", "marketplace_user", "marketplace_paper_readers",
        "listings_shelfitem", "listings_catalogueword", "listings_savedsearch", "listings_foundproduct",
        "listings_countedbatch", "marketplace_notificationswitch",
        "settlement_sandboxorder", "settlement_sandboxnotice",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
               AND c.relname ~ '^(marketplace|listings|compliance|settlement)_'
               AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled = 'O'
                               AND t.tgname LIKE 'pgtrigger_never_truncated%')"""
        )
        assert {row[0] for row in cursor.fetchall()} - may_be_swept == set()
