-- One row of an organisation as it really stands in a table: way A of making dirt.
CREATE TABLE organisation_row AS
WITH worded AS (
    SELECT
        organisation_seen.*,
        held.* EXCLUDE (tab),
        CASE
            WHEN trading_name IS NOT NULL AND u(seen, 'trading') < CASE tab WHEN 'customer' THEN .3
                WHEN 'vendor' THEN .15 ELSE .6 END
                THEN trading_name
            WHEN tab IN ('customer', 'vendor') THEN CASE WHEN u(seen, 'worded') < .72 THEN legal_name
                ELSE short_name END
            WHEN tab = 'company' THEN CASE WHEN u(seen, 'worded') < .3 THEN legal_name ELSE short_name END
            WHEN u(seen, 'worded') < .035 THEN brand
            WHEN u(seen, 'worded') < .055 AND domain IS NOT NULL THEN domain
            WHEN u(seen, 'worded') < .25 THEN legal_name
            ELSE short_name
        END AS plain_name
    FROM organisation_seen
    JOIN held USING (tab)
),

shaped AS (
    SELECT
        *,
        CASE
            WHEN u(seen, 'form') < .18 THEN regexp_replace(plain_name, ' Limited$', ' Ltd')
            WHEN u(seen, 'form') < .24 THEN regexp_replace(plain_name, ' (Limited|Ltd)$', ' Ltd.')
            WHEN u(seen, 'form') < .28 THEN regexp_replace(plain_name, ' Ltd$', ' Limited')
            WHEN u(seen, 'form') < .30 THEN regexp_replace(plain_name, ' (Limited|Ltd)$', ' LIMITED')
            ELSE plain_name
        END AS formed_name
    FROM worded
),

slipped AS (
    SELECT
        *,
        CASE
            WHEN chance(seen, 'name missing') THEN NULL
            WHEN chance(seen, 'name abbreviated') THEN abbreviate(formed_name)
            WHEN chance(seen, 'name typed wrong') THEN typo(formed_name, seen, 'name')
            WHEN chance(seen, 'town in name') THEN formed_name || ' - ' || city
            WHEN trading_name IS NOT NULL AND chance(seen, 'both names') THEN legal_name || ' t/a ' || trading_name
            WHEN chance(seen, 'remark in name')
                THEN formed_name || [' (ON STOP)', ' *DO NOT USE*', ' - DUPLICATE?',
                ' (OLD)'][1 + below(seen, 'remark', 4)]
            WHEN chance(seen, 'name garbled') THEN replace(replace(garble(formed_name), '&', '&amp;'), ' ', 'Â ')
            WHEN u(seen, 'capitals') < CASE tab WHEN 'customer' THEN .12 WHEN 'vendor' THEN .2
                ELSE .02 END THEN upper(formed_name)
            ELSE formed_name
        END AS slipped_name,
        lead(vat, 9) OVER (ORDER BY seen) AS other_vat  -- far enough to be another firm's
    FROM shaped
)

SELECT
    seen, system, tab, key, org, copy, deleted, merged, kind, is_person, age, attention, parent, role,
    slipped_name IS NOT NULL AS usable,
    slipped_name AS name,
    CASE WHEN slipped_name IS NOT NULL AND tab IN ('customer', 'vendor') AND u(seen, 'legal held') < .45
        THEN legal_name END AS legal_name,
    CASE WHEN slipped_name IS NOT NULL AND u(seen, 'trading held') < .5 THEN trading_name END AS trading_name,
    given,
    surname,
    CASE
        WHEN u(seen, 'vat held') > has_vat THEN NULL
        WHEN vat IS NULL THEN CASE
            WHEN chance(seen, 'vat word') THEN ['N/A', 'TBC', 'not registered', '0'][1 + below(seen, 'vat word', 4)] END
        WHEN chance(seen, 'vat of another') THEN written_vat(coalesce(other_vat, vat), seen)
        WHEN chance(seen, 'vat typed wrong') THEN written_vat(vat[:4] || digits(seen, 'vat digit', 1) || vat[6:], seen)
        ELSE written_vat(vat, seen)
    END AS vat,
    CASE
        WHEN u(seen, 'number held') > has_number THEN NULL
        WHEN chance(seen, 'number typed wrong')
            THEN company_number[:5] || digits(seen, 'number digit', 1) || company_number[7:]
        WHEN u(seen, 'spreadsheet') < .12 THEN ltrim(company_number, '0')
        ELSE company_number
    END AS company_number,
    CASE
        WHEN u(seen, 'phone held') > has_phone THEN NULL
        WHEN kind = 'sole' AND u(seen, 'mobile firm') < .6 THEN written_phone(owner_mobile, seen, 'phone')
        WHEN chance(seen, 'phone typed wrong') THEN misdialled(phone, seen, 'phone')
        WHEN u(seen, 'extension') < .02 THEN written_phone(phone, seen, 'phone') || ' ext ' || below(seen, 'ext', 900)
        ELSE written_phone(phone, seen, 'phone')
    END AS phone,
    CASE
        WHEN u(seen, 'email held') > has_email THEN NULL
        WHEN chance(seen, 'email typed wrong') THEN typo(email, seen, 'email')
        ELSE email
    END AS email,
    CASE
        WHEN domain IS NULL OR u(seen, 'website held') > has_website THEN NULL
        WHEN chance(seen, 'website elsewhere') THEN 'https://www.facebook.com/' || slug(brand)
        ELSE ['https://www.', 'http://www.', 'www.', 'https://', '', ''][1 + below(seen, 'protocol', 6)] || domain
            || CASE WHEN u(seen, 'slash') < .3 THEN '/' ELSE '' END
    END AS website,
    CASE WHEN u(seen, 'domain held') <= has_website THEN domain END AS domain,
    CASE
        WHEN u(seen, 'address held') > has_address THEN NULL
        WHEN chance(seen, 'address lines swapped') AND unit IS NOT NULL THEN street
        WHEN unit IS NOT NULL THEN unit
        WHEN u(seen, 'street word') < .25 THEN abbreviate_street(street)
        WHEN chance(seen, 'street typed wrong') THEN typo(street, seen, 'street')
        ELSE street
    END AS address1,
    CASE
        WHEN u(seen, 'address held') > has_address OR unit IS NULL THEN NULL
        WHEN chance(seen, 'address lines swapped') THEN unit
        WHEN u(seen, 'street word') < .25 THEN abbreviate_street(street)
        ELSE street
    END AS address2,
    CASE WHEN u(seen, 'address held') > has_address THEN NULL
        WHEN chance(seen, 'city missing') THEN NULL
        WHEN chance(seen, 'county as city') THEN county
        ELSE city END AS city,
    CASE WHEN u(seen, 'address held') <= has_address AND u(seen, 'county held') < .4 THEN county END AS county,
    CASE
        WHEN u(seen, 'address held') > has_address OR chance(seen, 'postcode missing') THEN NULL
        WHEN chance(seen, 'postcode typed wrong') THEN typo(postcode, seen, 'postcode')
        WHEN u(seen, 'postcode style') < .08 THEN replace(postcode, ' ', '')
        WHEN u(seen, 'postcode style') < .11 THEN lower(postcode)
        ELSE postcode
    END AS postcode,
    CASE WHEN u(seen, 'country held') < .7 THEN written_country(seen) END AS country
FROM slipped
ORDER BY seen;
