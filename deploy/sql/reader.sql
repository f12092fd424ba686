-- Insight's way into a source, in each source's database as its owner: SELECT, and nothing else.
--     psql -d crm -v ON_ERROR_STOP=1 -f deploy/sql/reader.sql
DO $$ BEGIN
    CREATE ROLE precede_reader LOGIN;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
GRANT USAGE ON SCHEMA public TO precede_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO precede_reader;
