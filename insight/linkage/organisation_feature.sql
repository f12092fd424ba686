-- feature: one organisation record, or what of it is firmly asserted, in the columns that are compared.
-- `telling` has, beside places and numbers, the telling words, and what may be the beginning of one where a long name was
-- cut; `doubled` says that one stands twice, `bare` that the name is a domain, `family` that
-- several firms share the domain.
-- `marks` say what tells it from its relatives: a parent's word in every name, in any name, places, numbers.
WITH named AS (
    SELECT
        record_id,
        list_distinct(list_filter(list_concat(coalesce(k_names, []), [k_name]), lambda name: name IS NOT NULL)) AS names
    FROM stated
),
marked AS (
    SELECT
        record_id,
        bool_and(word.parent) AS parent_in_all,
        bool_or(word.parent) AS parent_in_any,
        list_distinct(flatten(list(word.places))) AS places,
        list_distinct(flatten(list(word.numbers))) AS numerals,
        list_distinct(list(array_to_string(list_sort(string_split(key, ' ')), ' '))) AS bags,
        list_distinct(list(replace(key, ' ', ''))) AS compacts,
        bool_or(word.distinctive) AS distinctive
    FROM (SELECT record_id, unnest(names) AS key FROM named)
    JOIN word USING (key)
    GROUP BY record_id
),
telling AS (
    SELECT record_id, list(word) AS words
    FROM (SELECT record_id, unnest(string_split(k_name, ' ')) AS token FROM stated)
    JOIN telling_word USING (token)
    GROUP BY record_id
)
SELECT
    record_id AS unique_id,
    system,
    nullif(names, []) AS names,
    k_name AS name,
    replace(k_name, ' ', '') AS compact,
    array_to_string(list_sort(string_split(k_name, ' ')), ' ') AS bag,
    bags,
    compacts,
    string_split(k_name, ' ') AS tokens,
    coalesce(parent_in_all, false) AS parent_in_all,
    coalesce(parent_in_any, false) AS parent_in_any,
    coalesce(places, []) AS places,
    list_sort(coalesce(numerals, [])) AS numerals,
    list_sort(list_distinct(list_concat(
        coalesce(telling.words, []),
        list_filter([string_split(k_name, ' ')[-1]], lambda token: (contains(name, '(') AND NOT contains(name, ')'))
            OR (length(name) >= 24 AND length(token) > 1 AND len(list_filter($telling,
                lambda word: starts_with(word, token) AND word <> token)) > 0)),
        list_filter(string_split(k_name, ' '), lambda token: length(token) > 3 AND len(list_filter($telling,
            lambda word: starts_with(word, token) AND length(word) > length(token) + 1)) > 0),
        coalesce(places, []),
        coalesce(numerals, [])
    ))) AS telling,
    len(telling.words) > len(list_distinct(telling.words)) IS true AS doubled,
    regexp_full_match(lower(trim(name)), '(www\.)?[a-z0-9-]+(\.[a-z]{2,})+') IS true AS bare,
    used.firms IS NOT NULL OR mailed.firms IS NOT NULL AS family,
    coalesce(string_split(k_city, ' '), []) AS towns,
    coalesce(distinctive, false) AS distinctive,
    vat_number,
    k_company_number AS company_number,
    lei,
    nullif(list_sort(list_distinct(list_filter(list_concat(
        ['vat ' || vat_number, 'company ' || k_company_number, 'lei ' || lei],
        list_transform(coalesce(identifiers, []), lambda code: 'id ' || code)
    ), lambda code: code IS NOT NULL))), []) AS official,
    nullif(list_distinct(list_filter(list_concat(
        [
            CASE WHEN vat_number IS NOT NULL THEN 'vat ' || left(vat_number, 2) END,
            CASE WHEN k_company_number IS NOT NULL THEN 'company ' || split_part(k_company_number, ':', 1) END,
            CASE WHEN lei IS NOT NULL THEN 'lei' END
        ],
        list_transform(coalesce(identifiers, []), lambda code: 'id ' || split_part(code, ':', 1))
    ), lambda kind: kind IS NOT NULL)), []) AS official_kinds,
    email,
    nullif(list_distinct(list_filter([k_domain, k_email_domain], lambda domain: domain IS NOT NULL)), []) AS domains,
    coalesce(k_domain, k_email_domain) AS domain,
    split_part(coalesce(k_domain, k_email_domain), '.', 1) AS domain_stem,
    phone,
    k_postcode AS postcode,
    k_postcode_area AS postcode_area,
    k_street_number AS street_number,
    k_address AS street,
    k_city AS city,
    country
FROM stated
JOIN named USING (record_id)
LEFT JOIN marked USING (record_id)
LEFT JOIN telling USING (record_id)
LEFT JOIN domain_use AS used ON used.domain = k_domain
LEFT JOIN domain_use AS mailed ON mailed.domain = k_email_domain
