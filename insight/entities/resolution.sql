-- resolution: one entity, the systems that it is linked in, and of every system that has records of its type whether it
-- is linked there, was searched there and has no plausible candidate, or has one that is left open.
CREATE OR REPLACE TABLE resolution AS
WITH linked AS (
    SELECT entity_id, bitstring_agg(number, 0, {last}) AS linked
    FROM member JOIN present USING (system)
    GROUP BY entity_id
),
candidate AS (
    SELECT entity_a AS entity_id, split_part(record_b, ':', 1) AS system FROM doubt
    UNION ALL
    SELECT entity_b, split_part(record_a, ':', 1) FROM doubt
),
open AS (
    SELECT entity_id, bitstring_agg(number, 0, {last}) AS open
    FROM candidate JOIN present USING (system)
    GROUP BY entity_id
),
found AS (SELECT entity_id, linked, coalesce(open, linked) AS open FROM linked LEFT JOIN open USING (entity_id)),
every AS (SELECT list(system ORDER BY number) AS systems FROM present),
meant AS (               -- of each state that occurs, what it means; there are few
    SELECT
        linked,
        open,
        list_filter(systems, lambda system, i: get_bit(linked, (i - 1)::INTEGER) = 1) AS systems,
        list_transform(systems, lambda system, i: CASE
            WHEN get_bit(linked, (i - 1)::INTEGER) = 1 THEN 'linked' WHEN get_bit(open, (i - 1)::INTEGER) = 1 THEN 'open' ELSE 'absent'
        END) AS states,
        to_json(map(every.systems, states)) AS resolution
    FROM (SELECT DISTINCT linked, open FROM found) CROSS JOIN every
)
SELECT entity_id, systems, states, resolution FROM found JOIN meant USING (linked, open)
