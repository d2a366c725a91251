"""The follower that tells people begins where the journal ends now: nobody is told of what is long over."""

from django.db import migrations

BEGIN = """
    INSERT INTO marketplace_follower (name, position, tries, next_try_at, error)
    SELECT 'notifications', COALESCE(max(position), -1), 0, now(), '' FROM marketplace_seal
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0002_notifications")]
    operations = [migrations.RunSQL(BEGIN, "DELETE FROM marketplace_follower WHERE name = 'notifications'")]
