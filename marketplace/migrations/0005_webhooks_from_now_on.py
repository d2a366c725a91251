"""The follower that fills the outbox of webhooks begins where the journal ends now."""

from django.db import migrations

BEGIN = """
    INSERT INTO marketplace_follower (name, position, tries, next_try_at, error)
    SELECT 'webhooks', COALESCE(max(position), -1), 0, now(), '' FROM marketplace_seal
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0004_webhooks")]
    operations = [migrations.RunSQL(BEGIN, "DELETE FROM marketplace_follower WHERE name = 'webhooks'")]
