-- One true person, at the organisation where he or she works now; `former` is where before. The last are at none.
CREATE TABLE person AS
WITH staff AS (
    SELECT
        org * 16 + ordinal AS person,
        org,
        ordinal,
        org * 16 AS first_person,
        CASE WHEN kind = 'sole' THEN .35 WHEN contains(short_name, ' & Sons') OR contains(short_name, ' Bros') THEN .45
            ELSE .17 END
            AS family_firm,
        CASE WHEN kind = 'sole' OR regexp_matches(brand, ' & Sons| Bros') THEN founder END AS founder,
        CASE WHEN kind = 'sole' AND ordinal = 0 THEN owner END AS owner
    FROM (
        SELECT
            *,
            unnest(range(CASE
                WHEN kind = 'sole' THEN 1 + (u(draw, 'spouse') < .35)::INT
                ELSE 1 + least(11, floor(-ln(1 - u(draw, 'staff')) * getvariable('staff_scale'))::INT)
            END)) AS ordinal
        FROM organisation
    )
    UNION ALL
    SELECT getvariable('last_org') * 16 + i, NULL, 0, getvariable('last_org') * 16 + i - i % 2, CASE
        WHEN i % 10 = 1 THEN 1 ELSE 0 END, NULL, NULL
    FROM range(getvariable('private_people')) AS private (i)
),

related AS (
    SELECT
        *,
        person <> first_person AND u(person, 'relative') < family_firm AS relative,
        person <> first_person AND u(person, 'namesake') < .0015 AS junior
    FROM staff
),

named AS (
    SELECT
        *,
        coalesce(owner, pick('given', CASE WHEN junior THEN first_person ELSE person END, 'given')) AS given,
        CASE WHEN u(person, 'middle') < .25 THEN pick('given', person, 'middle') END AS middle,
        CASE
            WHEN founder IS NOT NULL AND (ordinal = 0 OR relative OR junior) THEN founder
            ELSE pick('family', CASE WHEN relative OR junior THEN first_person ELSE person END, 'family')
        END AS family
    FROM related
),

addressed AS (
    SELECT
        *,
        CASE
            WHEN u(coalesce(org, person), 'pattern') < .5 THEN slug(given) || '.' || slug(family)
            WHEN u(coalesce(org, person), 'pattern') < .72 THEN slug(given)[1] || '.' || slug(family)
            WHEN u(coalesce(org, person), 'pattern') < .85 THEN slug(given)[1] || slug(family)
            ELSE slug(given)
        END AS local
    FROM named
)

SELECT
    person,
    org,
    ordinal,
    given,
    middle,
    family,
    relative,
    junior,
    local || CASE WHEN row_number() OVER (PARTITION BY org, local ORDER BY person) > 1
        THEN row_number() OVER (PARTITION BY org, local ORDER BY person)::VARCHAR ELSE '' END AS local,
    CASE WHEN relative AND u(person, 'home mailbox') < .2
        THEN 'the' || slug(family) || 's' || digits(first_person, 'home mailbox', 3)
        ELSE slug(given) || CASE WHEN u(person, 'dot') < .5 THEN '.'
            ELSE '' END || slug(family) || digits(person, 'mailbox', 3)
    END || '@' || pick('free_mail', CASE WHEN relative THEN first_person
        ELSE person END, 'free mail') AS personal_email,
    CASE WHEN relative AND u(person, 'home mobile') < .15 THEN mobile(first_person) ELSE mobile(person) END AS mobile,
    CASE WHEN ordinal = 0 AND u(person, 'finance') < .7 OR u(person, 'finance') < .12
        THEN pick('finance_titles', person, 'finance title') ELSE pick('titles', person, 'title') END AS job_title,
    CASE WHEN org IS NOT NULL AND ordinal > 0 AND u(person, 'changed employer') < getvariable('mover_share')
        THEN (org + 1 + below(person, 'former employer', getvariable('last_org') - 1)) % getvariable('last_org') END
            AS former
FROM addressed
ORDER BY person;
