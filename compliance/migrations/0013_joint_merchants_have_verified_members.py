"""A joint merchant is verified with two members at least, all of whom have consented and are verified themselves."""

from django.db import migrations

CREATE = """
CREATE FUNCTION compliance_require_verified_members() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM marketplace_organisation o WHERE o.id = NEW.organisation_id AND 'joint' = ANY(o.kinds)) THEN
        PERFORM FROM compliance_verification v JOIN marketplace_jointmember m ON m.member_id = v.organisation_id
            WHERE m.joint_id = NEW.organisation_id AND m.withdrawn_at IS NULL ORDER BY v.id FOR SHARE OF v;
        IF (SELECT count(*) FROM marketplace_jointmember m
            WHERE m.joint_id = NEW.organisation_id AND m.withdrawn_at IS NULL) < 2 OR EXISTS (
            SELECT FROM marketplace_jointmember m
            LEFT JOIN compliance_verification v ON v.organisation_id = m.member_id AND v.state = 'verified'
            WHERE m.joint_id = NEW.organisation_id AND m.withdrawn_at IS NULL
            AND (m.consented_at IS NULL OR v.id IS NULL)
        ) THEN
            RAISE 'joint merchant % is verified before its members', NEW.organisation_id
            USING ERRCODE = 'check_violation';
        END IF;
    END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER joint_merchant_has_verified_members AFTER UPDATE OF state ON compliance_verification
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'verified' AND OLD.state <> 'verified')
    EXECUTE FUNCTION compliance_require_verified_members();
CREATE FUNCTION compliance_require_settled_members() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM FROM compliance_verification WHERE organisation_id = NEW.joint_id FOR SHARE;
    IF EXISTS (
        SELECT FROM compliance_verification v WHERE v.organisation_id = NEW.joint_id
        AND v.state IN ('verified', 'suspended', 'expelled')
    ) AND (
        EXISTS (SELECT FROM marketplace_jointmember m
            WHERE m.id = NEW.id AND m.withdrawn_at IS NULL AND m.consented_at IS NULL)
        OR (SELECT count(*) FROM marketplace_jointmember m WHERE m.joint_id = NEW.joint_id
            AND m.withdrawn_at IS NULL AND m.consented_at IS NOT NULL) < 2
    ) THEN
        RAISE 'verified joint merchant % keeps two members that consented', NEW.joint_id
        USING ERRCODE = 'check_violation';
    END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER verified_joint_merchant_keeps_its_members AFTER INSERT OR UPDATE ON marketplace_jointmember
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION compliance_require_settled_members();
"""
DROP = """
DROP TRIGGER joint_merchant_has_verified_members ON compliance_verification;
DROP FUNCTION compliance_require_verified_members();
DROP TRIGGER verified_joint_merchant_keeps_its_members ON marketplace_jointmember;
DROP FUNCTION compliance_require_settled_members();
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0012_first_tiers"), ("marketplace", "0009_joint_merchants")]
    operations = [migrations.RunSQL(CREATE, DROP)]
