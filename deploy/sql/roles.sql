-- Roles and databases of Precede, once, as a superuser of PostgreSQL 15 or newer:
--     psql -d postgres -v ON_ERROR_STOP=1 -f deploy/sql/roles.sql
-- No role has a password yet, so that none can log in until \password gives it one.
CREATE ROLE precede_owner LOGIN;        -- owns the store's tables; used by whoever installs, and by no process
CREATE ROLE precede_coordinator LOGIN;  -- decides, records, delivers
CREATE ROLE precede_insight LOGIN;      -- publishes graphs
CREATE ROLE precede_dagster LOGIN;      -- owns Dagster's own record; the daemon and the page
-- An agent has no role: nothing that it does needs a database.

CREATE DATABASE precede OWNER precede_owner;
REVOKE ALL ON DATABASE precede FROM PUBLIC;
GRANT CONNECT ON DATABASE precede TO precede_coordinator, precede_insight;

CREATE DATABASE precede_dagster OWNER precede_dagster;
REVOKE ALL ON DATABASE precede_dagster FROM PUBLIC;
GRANT CONNECT ON DATABASE precede_dagster TO precede_coordinator, precede_insight;
