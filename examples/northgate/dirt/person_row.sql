-- One row of a person as it really stands in a table: way A of making dirt.
CREATE TABLE person_row AS
WITH called AS (
    SELECT
        person_seen.*,
        held.* EXCLUDE (tab),
        CASE
            WHEN chance(seen, 'short given name') AND short_form IS NOT NULL THEN short_form
            WHEN chance(seen, 'initial alone') THEN given[1]
            WHEN chance(seen, 'given name typed wrong') THEN typo(given, seen, 'given')
            WHEN chance(seen, 'middle initial') AND middle IS NOT NULL THEN given || ' ' || middle[1]
            ELSE given
        END AS called_given,
        CASE
            WHEN chance(seen, 'married name') THEN pick('family', person_seen.person, 'married')
            WHEN chance(seen, 'family name typed wrong') THEN typo(family, seen, 'family')
            ELSE family
        END AS called_family
    FROM person_seen
    JOIN held USING (tab)
    LEFT JOIN short_name ON short_name.given_name = person_seen.given
),

-- one change of the whole name at a time
spelt AS (
    SELECT
        *,
        CASE
            WHEN u(seen, 'letters') < .10 THEN 'garbled'
            WHEN u(seen, 'letters') < .50 THEN 'plain'
            ELSE 'kept'
        END AS letters,
        CASE
            WHEN chance(seen, 'name missing') THEN 'missing'
            WHEN chance(seen, 'names swapped') THEN 'swapped'
            WHEN chance(seen, 'names in one field') THEN 'one field'
            WHEN chance(seen, 'title in name') THEN 'titled'
            WHEN u(seen, 'case') < .03 THEN 'upper'
            WHEN u(seen, 'case') < .06 THEN 'lower'
            WHEN tab = 'user' AND u(seen, 'self made') < .07 AND email IS NOT NULL
                AND NOT regexp_matches(email, '^(info|accounts|office)@') THEN 'mailbox'
            ELSE 'kept'
        END AS writing
    FROM called
),

lettered AS (
    SELECT
        * EXCLUDE (called_given, called_family),
        CASE letters WHEN 'garbled' THEN garble(called_given) WHEN 'plain' THEN strip_accents(called_given)
            ELSE called_given END AS first,
        CASE letters WHEN 'garbled' THEN garble(called_family) WHEN 'plain' THEN strip_accents(called_family)
            ELSE called_family END AS last
    FROM spelt
)

SELECT
    seen, system, tab, key, person, org, copy, deleted, merged, age, past,
    writing <> 'missing' AS usable,
    CASE writing
        WHEN 'missing' THEN NULL
        WHEN 'swapped' THEN last
        WHEN 'one field' THEN first || ' ' || last
        WHEN 'titled' THEN ['Mr ', 'Mrs ', 'Ms ', 'Dr '][1 + below(seen, 'title', 4)] || first
        WHEN 'upper' THEN upper(first)
        WHEN 'lower' THEN lower(first)
        ELSE first
    END AS given,
    CASE writing
        WHEN 'missing' THEN NULL
        WHEN 'swapped' THEN first
        WHEN 'one field' THEN NULL
        WHEN 'upper' THEN upper(last)
        WHEN 'lower' THEN lower(last)
        ELSE last
    END AS family,
    CASE writing
        WHEN 'missing' THEN ''
        WHEN 'swapped' THEN last || ', ' || first
        WHEN 'upper' THEN upper(first || ' ' || last)
        WHEN 'lower' THEN lower(first || ' ' || last)
        WHEN 'mailbox' THEN split_part(email, '@', 1)
        ELSE first || ' ' || last
    END AS full_name,
    CASE
        WHEN u(seen, 'email held') > has_email THEN NULL
        WHEN chance(seen, 'email typed wrong') THEN typo(email, seen, 'email')
        WHEN u(seen, 'email case') < .04 THEN upper(email[1]) || email[2:]
        ELSE email
    END AS email,
    CASE WHEN u(seen, 'other email held') < .8 THEN other_email END AS other_email,
    CASE
        WHEN u(seen, 'phone held') > has_phone THEN NULL
        WHEN chance(seen, 'phone in mobile') THEN written_phone(mobile, seen, 'phone')
        WHEN chance(seen, 'phone typed wrong') THEN misdialled(phone, seen, 'phone')
        ELSE written_phone(phone, seen, 'phone')
    END AS phone,
    CASE
        WHEN chance(seen, 'phone in mobile') THEN written_phone(phone, seen, 'mobile')
        WHEN u(seen, 'mobile held') > has_mobile THEN NULL
        WHEN chance(seen, 'phone typed wrong') THEN misdialled(mobile, seen, 'mobile')
        ELSE written_phone(mobile, seen, 'mobile')
    END AS mobile,
    CASE WHEN u(seen, 'title held') < .7 THEN job_title END AS job_title,
    CASE WHEN u(seen, 'company held') < .6 THEN CASE WHEN u(seen, 'company style') < .15 THEN abbreviate(company)
        ELSE company END END AS company,
    CASE WHEN u(seen, 'filed') < CASE tab WHEN 'contact' THEN .93 ELSE .88 END THEN org_key END AS org_key,
    CASE WHEN u(seen, 'address held') <= has_address THEN concat_ws(', ', unit, street) END AS address1,
    CASE WHEN u(seen, 'address held') <= has_address THEN city END AS city,
    CASE WHEN u(seen, 'address held') > has_address THEN NULL
        WHEN chance(seen, 'postcode typed wrong') THEN typo(postcode, seen, 'postcode')
        ELSE postcode END AS postcode,
    CASE WHEN u(seen, 'country held') < .4 THEN written_country(seen) END AS country
FROM lettered
ORDER BY seen;
