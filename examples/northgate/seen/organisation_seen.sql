-- One row that some table holds of an organisation, as it would stand there without a slip: `copy` 0 is the first, 1 a
-- duplicate, 2 one that was deleted since. `merged` copies were merged into the first by the system itself.
CREATE TABLE organisation_seen AS
WITH known AS (
    SELECT org, tab, unnest([0] || CASE
        WHEN u(draw, tab || ' twice') < (SELECT has_twin FROM held WHERE held.tab = rows.tab) THEN [1] ELSE [] END
        || CASE WHEN tab <> 'organization' AND u(draw, tab || ' deleted') < .015 THEN [2] ELSE [] END) AS copy
    FROM (
        SELECT org, draw, unnest(
            CASE WHEN u(draw, 'in crm') < CASE role WHEN 'prospect' THEN 1 WHEN 'customer' THEN .86 ELSE .08 END
                THEN ['company'] ELSE [] END
            || CASE WHEN role = 'customer' AND u(draw, 'in erp') < .95 THEN ['customer'] ELSE [] END
            || CASE WHEN role = 'vendor' OR role = 'customer' AND u(draw, 'also vendor') < .08 THEN ['vendor']
                ELSE [] END
            || CASE WHEN u(draw, 'in support') < CASE role WHEN 'prospect' THEN .10 WHEN 'customer' THEN .66
                ELSE .05 END
                THEN ['organization'] ELSE [] END
        ) AS tab
        FROM organisation
    ) AS rows
),

numbered AS (
    SELECT
        *,
        row_number() OVER (ORDER BY org, tab, copy) AS seen,
        row_number() OVER (PARTITION BY tab IN ('customer', 'vendor'), tab = 'company' ORDER BY org, tab,
            copy) AS place_in_table
    FROM known
),

merging AS (
    SELECT *, tab = 'company' AND copy = 1 AND u(seen, 'merged') < .35 AS merged
    FROM numbered
)

SELECT
    merging.*,
    CASE tab
        WHEN 'company' THEN 2000000000 + (place_in_table * 7368787) % 6999999989
        WHEN 'organization' THEN 360000000000 + (place_in_table * 7368787) % 9999999967
        ELSE 1000 + place_in_table * 3 + below(seen, 'id', 3)
    END AS key,
    CASE tab WHEN 'company' THEN 'crm' WHEN 'organization' THEN 'support' ELSE 'erp' END AS system,
    copy = 2 OR merged AND u(seen, 'merged away') < .6 AS deleted,
    organisation.* EXCLUDE (org, town),
    site.* EXCLUDE (org),
    CASE WHEN kind = 'sole' THEN person.given END AS given,
    CASE WHEN kind = 'sole' THEN person.family END AS surname,
    kind = 'sole' AND tab = 'customer' AND u(draw, 'is person') < .9 AS is_person,
    CASE
        WHEN domain IS NULL THEN person.personal_email
        WHEN u(seen, 'mailbox') < .5 THEN 'accounts@' || domain
        WHEN u(seen, 'mailbox') < .72 THEN person.local || '@' || domain
        WHEN u(seen, 'mailbox') < .9 THEN 'info@' || domain
        ELSE 'office@' || domain
    END AS email,
    person.mobile AS owner_mobile,
    person.given || ' ' || person.family AS attention,
    floor(60 + u(seen, 'age') ** 1.5 * 2900) AS age
FROM merging
JOIN organisation USING (org)
JOIN site ON site.org = merging.org AND site.slot = CASE
    WHEN EXISTS (SELECT 1 FROM site AS former WHERE former.org = merging.org AND former.slot = 1)
        AND u(merging.seen, 'old address') < rate('old address') THEN 1
    WHEN EXISTS (SELECT 1 FROM site AS branch WHERE branch.org = merging.org AND branch.slot = 2)
        AND u(merging.seen, 'branch address') < .3 THEN 2
    ELSE 0
END
JOIN person ON person.person = merging.org * 16
ORDER BY seen;
