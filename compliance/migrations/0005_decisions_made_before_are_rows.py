"""What was decided of reviews before decisions had a table of their own, as far as the reviews still say it."""

from django.db import migrations

IS_MEMBER = """
    EXISTS (
        SELECT FROM listings_version v JOIN listings_listing l ON l.id = v.listing_id
        JOIN marketplace_membership m ON m.organisation_id = l.seller_id
        WHERE v.id = r.version_id AND m.user_id = {person}
    )
"""
FIRST = f"""
INSERT INTO compliance_reviewdecision
    (review_id, act, by_id, decided_at, reason_code, reason, rules_version, checklist_version, answers)
SELECT r.id, 'approve', r.by_id, r.first_at, '', '', '', '', '[]'
FROM compliance_review r WHERE r.first_at IS NOT NULL AND r.by_id IS NOT NULL AND NOT {IS_MEMBER.format(person="r.by_id")};
"""
SECOND = f"""
INSERT INTO compliance_reviewdecision
    (review_id, act, by_id, decided_at, reason_code, reason, rules_version, checklist_version, answers)
SELECT r.id, CASE r.state WHEN 'approved' THEN 'approve' WHEN 'refused' THEN 'refuse' ELSE 'request_changes' END,
    coalesce(r.second_by_id, r.by_id), r.decided_at, r.reason_code, r.reason, '', '', '[]'
FROM compliance_review r
WHERE r.decided_at IS NOT NULL AND r.state IN ('approved', 'refused', 'changes_requested')
    AND coalesce(r.second_by_id, r.by_id) IS NOT NULL
    AND NOT {IS_MEMBER.format(person="coalesce(r.second_by_id, r.by_id)")};
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0004_reviews_keep_decisions_and_questions")]
    operations = [migrations.RunSQL([FIRST, SECOND], migrations.RunSQL.noop)]
