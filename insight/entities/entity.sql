-- entity: one reconciled thing. Its version changes when its records, golden record, standing or conflicts change, and
-- with nothing else.
CREATE OR REPLACE TABLE entity AS
WITH of_records AS (
    SELECT
        entity_id,
        count(*) AS record_count,
        -- in two halves: DuckDB is slow to write a number of 128 bits
        bit_xor(md5_number_upper(record_id || '=' || row_hash)) AS upper_rows,
        bit_xor(md5_number_lower(record_id || '=' || row_hash)) AS lower_rows
    FROM member
    GROUP BY entity_id
),
worth AS MATERIALIZED (SELECT entity_id, name, opted_out, {golden} AS digest FROM golden),
of_conflicts AS (
    SELECT entity_id, string_agg(to_json(conflict)::VARCHAR, ',' ORDER BY field, record_a, record_b) AS conflicts
    FROM conflict
    GROUP BY entity_id
)
SELECT
    entity_id,
    $record_type AS entity_type,
    sha256(
        concat_ws(chr(31), upper_rows, lower_rows, digest, array_to_string(reasons, ','), resolution::VARCHAR, conflicts)
    )[:20] AS version,
    worth.name,
    CASE WHEN len(reasons) = 0 THEN 'reconciled' ELSE 'not_reconciled' END AS standing,
    reasons AS standing_reasons,
    systems,
    resolution,
    record_count::INTEGER AS record_count,
    coalesce(worth.opted_out, false) AS opted_out
FROM of_records
JOIN standing USING (entity_id)
JOIN worth USING (entity_id)
LEFT JOIN of_conflicts USING (entity_id)
