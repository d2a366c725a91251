#!/bin/sh
# Run by the image of PostgreSQL when its volume is empty: the role the exchange works as owns nothing.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$APP_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE databourse LOGIN PASSWORD :'password';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE databourse_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO databourse;
ALTER DEFAULT PRIVILEGES FOR ROLE databourse_owner GRANT USAGE, SELECT ON SEQUENCES TO databourse;
SQL
