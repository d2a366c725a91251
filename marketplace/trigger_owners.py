"""Who may set the triggers aside: the owner of the tables alone.

django-pgtrigger lets any session name triggers to pass over. The role the exchange runs as in production owns no table,
so after every migration the function that decides is replaced by one that asks for the owner. It is also the cheaper
one: each trigger calls it, and it needs no block that catches errors.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

ONLY_THE_OWNER_MAY = """
    CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name NAME) RETURNS BOOLEAN AS $$
        SELECT CASE
            WHEN coalesce(current_setting('pgtrigger.ignore', true), '') = '' THEN false
            ELSE trigger_name::text = ANY (current_setting('pgtrigger.ignore', true)::text[])
                AND (
                    SELECT pg_has_role(session_user, relowner, 'MEMBER') FROM pg_class
                    WHERE oid = 'public.marketplace_event'::regclass
                )
        END
    $$ LANGUAGE sql STABLE;
"""


def keep_to_owners(using: str, **_kwargs: Any) -> None:
    """After migrations, which put django-pgtrigger's own function back with every trigger they make."""
    connection = connections[using]
    if "marketplace_event" in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(ONLY_THE_OWNER_MAY)
