-- The tool server of the ERP, in the ERP's database as its owner: what one reminder takes.
CREATE ROLE precede_tool_erp LOGIN;
GRANT USAGE ON SCHEMA public TO precede_tool_erp;
GRANT SELECT ON "transaction", transaction_line, customrecord_dunning TO precede_tool_erp;
GRANT INSERT ON customrecord_dunning TO precede_tool_erp;
-- to hold a row or a table for the length of a write, Postgres asks for UPDATE on some column of it
GRANT UPDATE (mainline) ON transaction_line TO precede_tool_erp;
GRANT UPDATE ON customrecord_dunning TO precede_tool_erp;
