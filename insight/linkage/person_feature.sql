-- feature: one person's record, or what of it is firmly asserted, in the columns that are compared.
-- A desk's mailbox (info@, accounts@) is no person's; a number that several families use is a switchboard. An initial is
-- read out where the person's own mailbox spells it: `B. Hancock`, brandon.hancock@, is Brandon.
WITH mailboxes AS (
    SELECT
        record_id,
        list_filter(
            [
                CASE WHEN NOT list_contains($role_mailboxes, k_email_local) THEN email END,
                CASE WHEN NOT list_contains($role_mailboxes, k_other_email_local) THEN other_email END
            ], lambda mailbox: mailbox IS NOT NULL
        ) AS emails,
        list_distinct(list_filter(
            [
                CASE WHEN NOT list_contains($role_mailboxes, k_email_local) THEN k_email_local END,
                CASE WHEN NOT list_contains($role_mailboxes, k_other_email_local) THEN k_other_email_local END
            ], lambda local: local IS NOT NULL
        )) AS locals,
        list_distinct(list_filter([k_email_domain, k_other_email_domain], lambda domain: domain IS NOT NULL)) AS domains,
        list_distinct(list_filter([phone, mobile], lambda number: number IS NOT NULL)) AS numbers
    FROM stated
),
spelt AS (
    SELECT
        record_id,
        max(given) FILTER (length(k_given) = 1 AND starts_with(given, k_given)) AS given,
        max(given) FILTER (domain IS NOT NULL) AS own_given,
        max(given) AS mail_given,
        coalesce(bool_or(domain IS NOT NULL AND regexp_full_match(local, '[^0-9]+[2-9]')), false) AS numbered
    FROM (
        SELECT record_id, k_given, local, domain, CASE
            WHEN length(family) > 2 AND length(letters) > length(family) + 2 AND ends_with(letters, family)
                AND left(letters, 3) <> 'the'
                THEN left(letters, length(letters) - length(family))
        END AS given
        FROM (
            SELECT
                record_id,
                k_given,
                local,
                domain,
                replace(k_family, ' ', '') AS family,
                regexp_replace(local, '[^a-z]', '', 'g') AS letters
            FROM (
                SELECT record_id, k_given, k_family, k_email_local AS local, k_email_domain AS domain FROM stated
                UNION ALL
                SELECT record_id, k_given, k_family, k_other_email_local, k_other_email_domain FROM stated
            )
            WHERE local IS NOT NULL AND NOT list_contains($role_mailboxes, local)
        )
    )
    GROUP BY record_id
),
read_out AS (
    SELECT
        stated.* REPLACE (coalesce(spelt.given, k_given) AS k_given),
        own_given,
        mail_given,
        coalesce(numbered, false) AS numbered
    FROM stated LEFT JOIN spelt USING (record_id)
),
lines AS (
    SELECT
        record_id,
        list(number ORDER BY number) FILTER (coalesce(families, 1) < 3) AS phones,
        list(number ORDER BY number) FILTER (families >= 3) AS switchboards
    FROM (SELECT record_id, unnest(numbers) AS number FROM mailboxes)
    LEFT JOIN phone_use USING (number)
    GROUP BY record_id
)
SELECT
    record_id AS unique_id,
    system,
    k_given AS given,
    k_middle AS middle,
    k_family AS family,
    k_suffix AS suffix,
    coalesce(given_word.forms, []) AS given_forms,
    coalesce(family_word.forms, []) AS family_forms,
    nullif(trim(concat_ws(' ', k_given, k_family)), '') AS name,
    nullif(array_to_string(list_sort(string_split(trim(concat_ws(' ', k_given, k_family)), ' ')), ' '), '') AS bag,
    CASE
        WHEN k_family IS NULL THEN [regexp_replace(k_given, '[ 0-9]', '', 'g')]
        WHEN k_given IS NOT NULL THEN [
            replace(k_given || k_family, ' ', ''), left(k_given, 1) || replace(k_family, ' ', ''), replace(k_given, ' ', '')
        ]
    END AS handles,
    left(k_given, 1) || ' ' || k_family AS initialled,
    nullif(list_distinct(emails), []) AS emails,
    emails[1] AS email,
    nullif(list_filter(locals, lambda local: length(local) >= 5), []) AS locals,
    nullif(domains, []) AS domains,
    lines.phones,
    lines.switchboards,
    nullif(lower(trim(job_title)), '') AS job_title,
    birth_date,
    nullif(identifiers, []) AS official,
    list_transform(nullif(identifiers, []), lambda code: split_part(code, ':', 1)) AS official_kinds,
    employer.entity_id AS employer,
    k_organisation AS employer_name,
    k_postcode AS postcode,
    k_postcode_area AS postcode_area,
    k_street_number AS street_number,
    k_address AS street,
    k_city AS city,
    own_given,
    coalesce(
        k_given = mail_given OR list_contains(given_word.forms, mail_given) OR starts_with(mail_given, k_given)
        OR (length(mail_given) > 3 AND damerau_levenshtein(k_given, mail_given) = 1),
        false
    ) AS mail_fits,
    numbered OR namesake.employer IS NOT NULL AS namesakes,
    numbered
FROM read_out
JOIN mailboxes USING (record_id)
LEFT JOIN lines USING (record_id)
LEFT JOIN word AS given_word ON given_word.key = k_given
LEFT JOIN word AS family_word ON family_word.key = k_family
LEFT JOIN employer ON employer.record_id = organisation_record
LEFT JOIN (
    SELECT DISTINCT read_out.record_id, namesake.employer
    FROM read_out
    JOIN employer ON employer.record_id = organisation_record
    JOIN namesake ON namesake.employer = employer.entity_id AND list_contains([
        replace(k_given || k_family, ' ', ''), left(k_given, 1) || replace(k_family, ' ', ''), replace(k_given, ' ', '')
    ], namesake.handle)
) AS namesake USING (record_id)
