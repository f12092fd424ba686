-- The tool server of the CRM, in the CRM's database as its owner: two columns of one table.
CREATE ROLE precede_tool_crm LOGIN;
GRANT USAGE ON SCHEMA public TO precede_tool_crm;
GRANT SELECT ON company TO precede_tool_crm;
GRANT UPDATE (property_vat_number, _fivetran_synced) ON company TO precede_tool_crm;
