-- One row that some table holds of a person, as it would stand there without a slip. `org` is the organisation the row
-- was made under, a former one where nobody noticed the move.
CREATE TABLE person_seen AS
WITH employed AS (
    SELECT person, org, FALSE AS past FROM person
    UNION ALL
    SELECT person, former, TRUE FROM person WHERE former IS NOT NULL
),

known AS (
    SELECT employed.*, tab
    FROM employed, (VALUES ('contact', 'company'), ('user', 'organization')) AS tables (tab, parent)
    WHERE (
        org IS NULL AND u(person, tab || ' known') < .6
        OR EXISTS (SELECT 1 FROM organisation_seen AS held
            WHERE held.org = employed.org AND held.tab = tables.parent AND held.copy = 0)
        AND u(person * 2 + past::INT, tab || ' known') < CASE WHEN past THEN .55 WHEN tab = 'contact' THEN .84
            ELSE .82 END
    )
    UNION ALL
    SELECT person, NULL, FALSE, 'customer' FROM person WHERE org IS NULL AND u(person, 'buys') < .25
),

copied AS (
    SELECT *, unnest([0] || CASE
        WHEN tab <> 'customer'
        AND u(person * 2 + past::INT, tab || ' twice') < (SELECT has_twin FROM held WHERE held.tab = known.tab)
        THEN [1] ELSE [] END
        || CASE WHEN tab = 'contact' AND u(person * 2 + past::INT, 'contact deleted') < .015 THEN [2]
            ELSE [] END) AS copy
    FROM known
),

numbered AS (
    SELECT
        *,
        row_number() OVER (ORDER BY person, tab, past, copy) AS seen,
        row_number() OVER (PARTITION BY tab ORDER BY person, past, copy) AS place_in_table
    FROM copied
),

-- which of an organisation's rows in the same system the person is filed under
filed AS (
    SELECT numbered.*, held.key AS org_key, held.seen AS org_seen
    FROM numbered
    LEFT JOIN organisation_seen AS held
        ON held.org = numbered.org
            AND held.tab = CASE numbered.tab WHEN 'contact' THEN 'company' WHEN 'user' THEN 'organization' END
            AND NOT held.deleted
    QUALIFY row_number() OVER (PARTITION BY numbered.seen
        ORDER BY u(numbered.seen * 4 + held.copy, 'filed') + held.copy * .6) = 1
),

merging AS (
    SELECT *, tab = 'contact' AND copy = 1 AND u(seen, 'merged') < .35 AS merged
    FROM filed
)

SELECT
    merging.*,
    CASE tab
        WHEN 'contact' THEN 101 + place_in_table * 25 + below(seen, 'id', 25)
        WHEN 'user' THEN 380000000000 + (place_in_table * 7368787) % 9999999967
        ELSE 9000001 + place_in_table * 3 + below(seen, 'id', 3)
    END AS key,
    CASE tab WHEN 'contact' THEN 'crm' WHEN 'user' THEN 'support' ELSE 'erp' END AS system,
    copy = 2 OR merged AND u(seen, 'merged away') < .6 AS deleted,
    person.given,
    person.middle,
    person.family,
    person.mobile,
    person.job_title,
    CASE
        WHEN organisation.domain IS NULL OR copy = 1 AND u(seen, 'private twin') < .45 THEN person.personal_email
        WHEN u(seen, 'mail') < rate('role mailbox')
            THEN ['info@', 'accounts@', 'office@'][1 + below(seen, 'role', 3)] || organisation.domain
        WHEN u(seen, 'mail') > 1 - rate('private mailbox') THEN person.personal_email
        ELSE person.local || '@' || organisation.domain
    END AS email,
    CASE
        WHEN organisation.domain IS NULL THEN NULL
        WHEN u(seen, 'other mail') < .10 THEN person.personal_email
        WHEN u(seen, 'other mail') < .16 AND earlier.domain IS NOT NULL AND NOT past
            THEN person.local || '@' || earlier.domain
        WHEN copy = 1 AND u(seen, 'other mail') < .4 THEN person.local || '@' || organisation.domain
    END AS other_email,
    CASE
        WHEN merging.org IS NULL THEN NULL
        WHEN u(person.person, 'direct line') < .3
            THEN site.phone[:len(site.phone) - 3] || digits(person.person, 'direct line', 3)
        ELSE site.phone
    END AS phone,
    organisation.short_name AS company,
    site.street,
    site.unit,
    site.city,
    site.county,
    site.postcode,
    floor(30 + u(seen, 'age') ** 1.5 * 2600) + CASE WHEN past THEN 500 ELSE 0 END AS age
FROM merging
JOIN person ON person.person = merging.person
LEFT JOIN organisation ON organisation.org = merging.org
LEFT JOIN organisation AS earlier ON earlier.org = person.former
LEFT JOIN site ON site.org = merging.org AND site.slot = 0
ORDER BY seen;
