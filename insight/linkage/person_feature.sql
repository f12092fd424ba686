-- feature: one person's record, or what of it is firmly asserted, in the columns that are compared.
-- A desk's mailbox (info@, accounts@) is no person's; a number that several families use is a switchboard.
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
    k_city AS city
FROM stated
JOIN mailboxes USING (record_id)
LEFT JOIN lines USING (record_id)
LEFT JOIN word AS given_word ON given_word.key = k_given
LEFT JOIN word AS family_word ON family_word.key = k_family
LEFT JOIN employer ON employer.record_id = organisation_record
