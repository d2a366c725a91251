"""What rows of several tables owe each other. It spans apps, so the uppermost of them owns it."""

from django.db import migrations

# A product that is registered or listed points at a version two people approved.
APPROVED = """
CREATE FUNCTION compliance_require_approved_review() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (
        SELECT FROM compliance_review r JOIN listings_version v ON v.id = r.version_id
        WHERE v.id = NEW.current_version_id AND v.listing_id = NEW.id AND v.state = 'approved' AND r.state = 'approved'
    ) THEN
        RAISE 'listing % is % without an approved review', NEW.id, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM listings_registration WHERE version_id = NEW.current_version_id) THEN
        RAISE 'listing % is % without an entry in the register', NEW.id, NEW.state USING ERRCODE = 'check_violation';
    END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER listed_product_has_an_approved_review AFTER UPDATE OF state, current_version_id ON listings_listing
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state IN ('registered', 'listed'))
    EXECUTE FUNCTION compliance_require_approved_review();
CREATE FUNCTION compliance_require_review_of_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT FROM compliance_review WHERE version_id = NEW.id AND state = 'approved') THEN
        RAISE 'version % is approved without an approved review', NEW.id USING ERRCODE = 'check_violation';
    END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER approved_version_has_an_approved_review AFTER UPDATE OF state ON listings_version
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'approved')
    EXECUTE FUNCTION compliance_require_review_of_version();
"""
NO_APPROVED = """
DROP TRIGGER listed_product_has_an_approved_review ON listings_listing;
DROP FUNCTION compliance_require_approved_review();
DROP TRIGGER approved_version_has_an_approved_review ON listings_version;
DROP FUNCTION compliance_require_review_of_version();
"""

# What an organisation is called, where it sits and its number change by the exchange's decision once they are vetted.
IDENTITY = """
CREATE FUNCTION compliance_require_decided_identity() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (OLD.kinds, OLD.name, OLD.latin_name, OLD.country, OLD.region, OLD.number_kind, OLD.registration_number)
    IS NOT DISTINCT FROM
       (NEW.kinds, NEW.name, NEW.latin_name, NEW.country, NEW.region, NEW.number_kind, NEW.registration_number) THEN
        RETURN NEW;
    END IF;
    IF EXISTS (
        SELECT FROM compliance_verification v WHERE v.organisation_id = NEW.id
        AND v.state IN ('applied', 'verified', 'suspended', 'expelled')
    ) AND NOT COALESCE((
        SELECT c.outcome = 'confirmed' AND c.after = jsonb_build_object(
            'kinds', to_jsonb(NEW.kinds), 'name', NEW.name, 'latin_name', NEW.latin_name, 'country', NEW.country,
            'region', NEW.region, 'number_kind', NEW.number_kind, 'registration_number', NEW.registration_number
        ) FROM compliance_factchange c
        WHERE c.organisation_id = NEW.id AND c.section = 'identity' AND c.outcome <> ''
        ORDER BY c.decided_at DESC, c.id DESC LIMIT 1
    ), FALSE) THEN
        RAISE 'the identity of organisation % changes by a decision only', NEW.id USING ERRCODE = 'check_violation';
    END IF; RETURN NEW; END $$;
CREATE TRIGGER vetted_identity_changes_by_decision BEFORE UPDATE ON marketplace_organisation
    FOR EACH ROW EXECUTE FUNCTION compliance_require_decided_identity();
"""
NO_IDENTITY = """
DROP TRIGGER vetted_identity_changes_by_decision ON marketplace_organisation;
DROP FUNCTION compliance_require_decided_identity();
"""

# A member holds its registration number: no other is verified under it.
NUMBER = """
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
NO_NUMBER = """
DROP TRIGGER member_holds_its_own_number ON marketplace_organisation;
DROP TRIGGER member_holds_its_own_number ON compliance_verification;
DROP FUNCTION compliance_require_claimed_number();
"""

# A joint merchant is verified with two members at least, all of whom have consented and are verified themselves.
JOINT = """
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
NO_JOINT = """
DROP TRIGGER joint_merchant_has_verified_members ON compliance_verification;
DROP FUNCTION compliance_require_verified_members();
DROP TRIGGER verified_joint_merchant_keeps_its_members ON marketplace_jointmember;
DROP FUNCTION compliance_require_settled_members();
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]
    operations = [
        migrations.RunSQL(APPROVED, NO_APPROVED),
        migrations.RunSQL(IDENTITY, NO_IDENTITY),
        migrations.RunSQL(NUMBER, NO_NUMBER),
        migrations.RunSQL(JOINT, NO_JOINT),
    ]
