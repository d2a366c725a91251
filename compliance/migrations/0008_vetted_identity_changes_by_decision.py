"""What an organisation is called, where it sits and its number change by the exchange's decision once they are vetted."""

from django.db import migrations

CREATE = """
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
DROP = """
DROP TRIGGER vetted_identity_changes_by_decision ON marketplace_organisation;
DROP FUNCTION compliance_require_decided_identity();
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0007_dossier")]
    operations = [migrations.RunSQL(CREATE, DROP)]
