-- What any DuckDB client can ask of a published graph. Each is stored in the file and needs nothing beside it.

-- the source row that a record or fact comes from: the second one that a row yields has `#<type>` after its id
CREATE MACRO source_row_id(of_record) AS regexp_replace(
    of_record,
    '#(organisation|person|deal|sales_order|invoice|payment|purchase_order|receipt|ticket|message)$',
    ''
);

-- a text without case, accents and punctuation
CREATE MACRO folded(of_text) AS trim(regexp_replace(lower(strip_accents(of_text)), '[^\p{L}\p{N}]+', ' ', 'g'));

-- an identifier without case, spaces and punctuation
CREATE MACRO squeezed(of_text) AS regexp_replace(upper(of_text), '[^A-Z0-9]', '', 'g');

-- one entity that the text may mean, the likeliest first: by name, identifier, mailbox, phone, record or entity id
CREATE MACRO find(text) AS TABLE
WITH
    wanted AS (
        SELECT
            trim(text) AS exact,
            folded(text) AS name,
            squeezed(text) AS code,
            lower(trim(text)) AS mailbox,
            ltrim(regexp_replace(text, '[^0-9]', '', 'g'), '0') AS digits
    ),
    hit AS (
        SELECT e.entity_id, 'entity id' AS matched_on, e.entity_id AS matched_value, NULL AS record_id, 1.0 AS score
        FROM entity AS e, wanted AS w WHERE e.entity_id = w.exact
        UNION ALL
        SELECT c.entity_id, 'record', c.record_id, c.record_id, 1.0
        FROM crosswalk AS c, wanted AS w WHERE c.record_id = w.exact OR source_row_id(c.record_id) = w.exact
        UNION ALL
        SELECT f.entity_id, f.fact, f.record_id, f.record_id, 1.0
        FROM fact AS f, wanted AS w WHERE f.record_id = w.exact AND f.entity_id IS NOT NULL
        UNION ALL
        SELECT i.entity_id, i.field, i.value, i.record_id, CASE WHEN i.code = w.code THEN 0.98 ELSE 0.94 END
        FROM entity_identifier AS i, wanted AS w
        WHERE length(w.code) >= 4
            AND regexp_replace(i.code, '^[A-Z]{2}', '') = regexp_replace(w.code, '^[A-Z]{2}', '') -- GB 123 or 123
        UNION ALL
        SELECT p.entity_id, p.channel, p.value, p.record_id, 0.97
        FROM contact_point AS p, wanted AS w
        WHERE (p.channel = 'email' AND lower(p.value) = w.mailbox)
            OR (p.channel = 'phone' AND length(w.digits) >= 7
                AND ends_with(regexp_replace(p.value, '[^0-9]', '', 'g'), w.digits))
        UNION ALL
        SELECT n.entity_id, 'name', n.name, n.record_id, n.score
        FROM (
            SELECT n.*, CASE
                WHEN n.folded = w.name THEN 0.95
                WHEN list_bool_and([contains(' ' || n.folded, ' ' || word) FOR word IN string_split(w.name, ' ')])
                    THEN 0.7 + 0.2 * length(w.name) / greatest(length(n.folded), length(w.name))
                ELSE 0.8 * jaro_winkler_similarity(n.folded, w.name) END AS score
            FROM entity_name AS n, wanted AS w WHERE length(w.name) >= 2
        ) AS n
        WHERE n.score >= 0.7
    ),
    best AS (
        SELECT * FROM hit
        QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY score DESC, matched_on, matched_value, record_id) = 1
    )
SELECT
    e.entity_id, e.entity_type, e.name, e.standing, e.systems, b.matched_on, b.matched_value, b.record_id,
    round(b.score, 3)::DOUBLE AS score
FROM best AS b JOIN entity AS e USING (entity_id)
ORDER BY b.score DESC, e.record_count DESC, e.entity_id
LIMIT 100;

-- one thing known of an entity: `section` says what kind, `key` and `value` what, `record_id` which record says so
CREATE MACRO entity_360(id) AS TABLE
WITH line AS (
    SELECT 1 AS place, 'entity' AS section, k.key, json_extract_string(e.document, '$.' || k.key) AS value,
        NULL AS record_id
    FROM (SELECT to_json(e) AS document FROM entity AS e WHERE e.entity_id = id) AS e, unnest(json_keys(e.document)) AS k(key)
    WHERE k.key NOT IN ('entity_id', 'standing_reasons')
    UNION ALL
    SELECT 2, 'standing', r.reason, 'not reconciled', NULL
    FROM entity AS e, unnest(e.standing_reasons) AS r(reason) WHERE e.entity_id = id
    UNION ALL
    SELECT 3, 'golden', k.key, json_extract_string(g.document, '$.' || k.key),
        json_extract_string(g.document, '$.' || k.key || '_record')
    FROM (
        SELECT to_json(o) AS document FROM organisation AS o WHERE o.entity_id = id
        UNION ALL
        SELECT to_json(p) FROM person AS p WHERE p.entity_id = id
    ) AS g, unnest(json_keys(g.document)) AS k(key)
    WHERE k.key <> 'entity_id' AND NOT ends_with(k.key, '_record')
        AND json_extract_string(g.document, '$.' || k.key) IS NOT NULL
    UNION ALL
    SELECT 4, 'record', split_part(c.record_id, ':', 1), coalesce(r.name, ''), c.record_id
    FROM crosswalk AS c
    LEFT JOIN (
        SELECT record_id, name FROM organisation_record UNION ALL SELECT record_id, name FROM person_record
    ) AS r USING (record_id)
    WHERE c.entity_id = id
    UNION ALL
    SELECT 5, 'contact_point', p.channel || ' (' || p.asserted_by || ')', p.value, p.record_id
    FROM contact_point AS p WHERE p.entity_id = id
    UNION ALL
    SELECT 6, 'fact', f.fact, count(*)::VARCHAR, NULL
    FROM fact AS f WHERE f.entity_id = id OR f.person_entity_id = id GROUP BY f.fact
    UNION ALL
    SELECT 7, 'relationship', r.kind || CASE WHEN r.from_entity = id THEN ' ->' ELSE ' <-' END,
        CASE WHEN r.from_entity = id THEN r.to_entity ELSE r.from_entity END || coalesce(' ' || o.name, ''), r.record_id
    FROM relationship AS r
    LEFT JOIN entity AS o ON o.entity_id = CASE WHEN r.from_entity = id THEN r.to_entity ELSE r.from_entity END
    WHERE r.from_entity = id OR r.to_entity = id
    UNION ALL
    SELECT 8, 'conflict', c.field, c.value_a, c.record_a
    FROM conflict AS c WHERE c.entity_id = id
    UNION ALL
    SELECT 8, 'conflict', c.field, c.value_b, c.record_b
    FROM conflict AS c WHERE c.entity_id = id
    UNION ALL
    SELECT 9, 'review_pair', p.reason, CASE WHEN p.entity_a = id THEN p.entity_b ELSE p.entity_a END,
        CASE WHEN p.entity_a = id THEN p.record_b ELSE p.record_a END
    FROM review_pair AS p WHERE p.entity_a = id OR p.entity_b = id
    UNION ALL
    SELECT 10, 'event', v.event, coalesce(v.other_entity_id || ' in ', '') || coalesce(v.snapshot_id, ''), NULL
    FROM entity_event AS v WHERE v.entity_id = id
)
SELECT DISTINCT ON (place, key, value, record_id) section, key, value, record_id
FROM line
ORDER BY place, key, value, record_id;

-- one entity that relationships lead to in at most so many steps, with the fewest steps and the last kinds of step
CREATE MACRO neighbours(id, hops) AS TABLE
WITH RECURSIVE
    step AS (
        SELECT from_entity AS here, to_entity AS there, kind FROM relationship
        UNION
        SELECT to_entity, from_entity, kind FROM relationship
    ),
    reached AS (
        SELECT e.entity_id, 0 AS distance, NULL::VARCHAR AS kind FROM entity AS e WHERE e.entity_id = id
        UNION
        SELECT s.there, r.distance + 1, s.kind
        FROM reached AS r JOIN step AS s ON s.here = r.entity_id WHERE r.distance < hops
    ),
    nearest AS (
        SELECT entity_id, distance, kind FROM reached WHERE entity_id <> id
        QUALIFY distance = min(distance) OVER (PARTITION BY entity_id)
    )
SELECT e.entity_id, e.entity_type, e.name, e.standing, n.distance, list(DISTINCT n.kind ORDER BY n.kind) AS kinds
FROM nearest AS n JOIN entity AS e USING (entity_id)
GROUP BY ALL
ORDER BY n.distance, e.entity_type, e.name, e.entity_id;

-- one compared pair on the way from one record to another: their own link where they were compared, accepted or not,
-- else the shortest chain of accepted links that joins them
CREATE MACRO why(first_record, second_record) AS TABLE
WITH RECURSIVE
    compared AS (
        SELECT record_a, record_b, status, tier, match_weight, match_probability, veto, comparisons FROM link
        UNION ALL
        SELECT record_id, merged_into, 'accepted', 'alias', NULL, NULL, NULL, '{}'::JSON FROM alias
    ),
    own AS (
        SELECT * FROM compared
        WHERE (record_a = first_record AND record_b = second_record)
            OR (record_a = second_record AND record_b = first_record)
    ),
    near AS (
        SELECT c.* FROM compared AS c
        WHERE c.status = 'accepted' AND NOT EXISTS (SELECT 1 FROM own)
            AND c.record_a IN (
                SELECT m.record_id FROM crosswalk AS m JOIN crosswalk AS f ON f.entity_id = m.entity_id
                WHERE f.record_id = first_record
            )
    ),
    step AS (
        SELECT record_a AS here, record_b AS there FROM near UNION SELECT record_b, record_a FROM near
    ),
    reached AS (
        SELECT first_record AS record_id, 0 AS distance
        UNION
        SELECT s.there, r.distance + 1 FROM reached AS r JOIN step AS s ON s.here = r.record_id WHERE r.distance < 20
    ),
    nearest AS (SELECT record_id, min(distance) AS distance FROM reached GROUP BY record_id),
    back AS (
        SELECT n.record_id, n.distance, NULL::VARCHAR AS next_record FROM nearest AS n WHERE n.record_id = second_record
        UNION
        SELECT p.record_id, p.distance, b.record_id
        FROM back AS b, LATERAL (
            SELECT n.record_id, n.distance FROM nearest AS n JOIN step AS s ON s.here = n.record_id
            WHERE s.there = b.record_id AND n.distance = b.distance - 1
            ORDER BY n.record_id LIMIT 1
        ) AS p
    )
SELECT 1 AS step, o.record_a, o.record_b, o.status, o.tier, o.match_weight, o.match_probability, o.veto, o.comparisons
FROM own AS o
UNION ALL
SELECT b.distance + 1, n.record_a, n.record_b, n.status, n.tier, n.match_weight, n.match_probability, n.veto, n.comparisons
FROM back AS b JOIN near AS n
    ON (n.record_a = b.record_id AND n.record_b = b.next_record)
    OR (n.record_b = b.record_id AND n.record_a = b.next_record)
ORDER BY ALL;
