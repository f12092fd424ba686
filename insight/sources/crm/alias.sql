-- One company or contact that HubSpot merged into another.
SELECT 'organisation' AS record_type, 'company' AS source_table, trim(merged) AS from_key, _key AS to_key
FROM (SELECT _key, unnest(string_split(property_hs_merged_object_ids, ';')) AS merged FROM company)
UNION
SELECT 'person', 'contact', trim(merged), _key
FROM (SELECT _key, unnest(string_split(property_hs_merged_object_ids, ';')) AS merged FROM contact)
UNION
SELECT 'person', 'contact', vid_to_merge, canonical_vid
FROM contact_merge_audit
