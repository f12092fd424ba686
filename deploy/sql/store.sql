-- Who may do what in the store, as precede_owner, after `python -m orchestration.store` and again after each upgrade:
--     psql -d precede -U precede_owner -v ON_ERROR_STOP=1 -f deploy/sql/store.sql
GRANT USAGE ON SCHEMA public TO precede_coordinator, precede_insight;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM precede_coordinator, precede_insight;

-- The coordinator: all of it, but what was said stays said. Only the owner could edit an entry of the ledger.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO precede_coordinator;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO precede_coordinator;
REVOKE UPDATE, DELETE ON ledger_entry, checkpoint, policy_set FROM precede_coordinator;
REVOKE UPDATE ON pin_set FROM precede_coordinator;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM precede_coordinator;

-- Insight: says which graph is current and what was read, and reads what people judged. It sees no trigger row, no
-- proposal, no decision, no permit, no credential and no payload of the ledger.
GRANT SELECT ON alembic_version, snapshot, pointer, watermark, judgement, settlement, ledger_entry TO precede_insight;
-- keyed digests of rows to leave out; it adds those in which somebody who was erased is found again
GRANT SELECT, INSERT ON suppression TO precede_insight;
GRANT INSERT ON snapshot, pointer, watermark, ledger_entry, ledger_payload TO precede_insight;
GRANT UPDATE (expired_at, file_digest) ON snapshot TO precede_insight;
GRANT UPDATE ON watermark TO precede_insight;
GRANT DELETE ON pointer, watermark TO precede_insight;
GRANT SELECT (snapshot_id, state) ON batch TO precede_insight;
