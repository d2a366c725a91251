"""A member holds its registration number: no other is verified under it. Before, nobody else could even enter it."""

from django.db import migrations, models

CLAIM = """
UPDATE compliance_verification v SET number_claim = o.number_kind || ' ' || o.registration_number
FROM marketplace_organisation o WHERE o.id = v.organisation_id AND v.state IN ('verified', 'suspended', 'expelled');
"""
CREATE = """
CREATE FUNCTION compliance_require_claimed_number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (
        SELECT FROM compliance_verification v JOIN marketplace_organisation o ON o.id = v.organisation_id
        WHERE CASE TG_TABLE_NAME WHEN 'marketplace_organisation' THEN o.id = NEW.id ELSE v.id = NEW.id END
        AND v.number_claim <> '' AND v.number_claim <> o.number_kind || ' ' || o.registration_number
    ) THEN
        RAISE 'a member holds another registration number than its own' USING ERRCODE = 'check_violation';
    END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER member_holds_its_own_number AFTER UPDATE OF number_kind, registration_number
    ON marketplace_organisation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION compliance_require_claimed_number();
CREATE CONSTRAINT TRIGGER member_holds_its_own_number AFTER INSERT OR UPDATE OF number_claim
    ON compliance_verification DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION compliance_require_claimed_number();
"""
DROP = """
DROP TRIGGER member_holds_its_own_number ON marketplace_organisation;
DROP TRIGGER member_holds_its_own_number ON compliance_verification;
DROP FUNCTION compliance_require_claimed_number();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0008_vetted_identity_changes_by_decision'),
        ('marketplace', '0005_numbers_are_claimed_by_vetting'),
    ]

    operations = [
        migrations.AddField(
            model_name='verification',
            name='number_claim',
            field=models.CharField(blank=True, default='', editable=False, max_length=60),
        ),
        migrations.RunSQL(CLAIM, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='verification',
            constraint=models.UniqueConstraint(condition=models.Q(('number_claim', ''), _negated=True), fields=('number_claim',), name='one_member_per_registration_number'),
        ),
        migrations.AddConstraint(
            model_name='verification',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['verified', 'suspended', 'expelled']), _negated=True), models.Q(('number_claim', ''), _negated=True), _connector='OR'), name='members_hold_their_registration_number'),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
