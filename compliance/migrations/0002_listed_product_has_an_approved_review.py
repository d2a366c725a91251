"""A product that is registered or listed points at a version two people approved. Spans two apps, so the upper owns it."""

from django.db import migrations

CREATE = """
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
DROP = """
DROP TRIGGER listed_product_has_an_approved_review ON listings_listing;
DROP FUNCTION compliance_require_approved_review();
DROP TRIGGER approved_version_has_an_approved_review ON listings_version;
DROP FUNCTION compliance_require_review_of_version();
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial"), ("listings", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
