-- Who may write to Dagster's own record, as precede_dagster, before its tables are made:
--     psql -d precede_dagster -U precede_dagster -v ON_ERROR_STOP=1 -f deploy/sql/dagster.sql
-- Who writes there can report and delete events, and start runs of what these code locations hold. No agent may.
GRANT USAGE ON SCHEMA public TO precede_coordinator, precede_insight;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO precede_coordinator, precede_insight;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO precede_coordinator, precede_insight;
