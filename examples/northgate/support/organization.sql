-- An organisation as Zendesk keeps it. The VAT number is a custom field.
CREATE TABLE support.organization AS
SELECT
    held.key AS id,
    synced(held.seen) AS _fivetran_synced,
    strftime(stamp(held.age, held.seen, 'created'), '%Y-%m-%dT%H:%M:%SZ') AS created_at,
    CASE WHEN u(held.seen, 'details') < .3
        THEN concat_ws(', ', organisation.sector, getvariable('towns')[organisation.town].city) END AS details,
    CASE WHEN u(held.seen, 'external') < .07 THEN customer.entityid END AS external_id,
    CASE WHEN u(held.seen, 'group') < .4 THEN 360001 + below(held.seen, 'group', 3) END AS group_id,
    held.name,
    CASE WHEN u(held.seen, 'noted') < .08 THEN pick('notes', held.seen, 'support note') END AS notes,
    FALSE AS shared_comments,
    u(held.seen, 'shares') < .2 AS shared_tickets,
    strftime(stamp(held.age * u(held.seen, 'last change'), held.seen, 'modified'), '%Y-%m-%dT%H:%M:%SZ') AS updated_at,
    'https://northgate.zendesk.example/api/v2/organizations/' || held.key || '.json' AS url,
    held.vat AS custom_vat_number
FROM organisation_row AS held
JOIN organisation ON organisation.org = held.org
LEFT JOIN (SELECT org, 'C' || lpad(key::VARCHAR, 6, '0') AS entityid FROM organisation_row
    WHERE tab = 'customer' AND copy = 0) AS customer
    ON customer.org = held.org
WHERE held.tab = 'organization'
ORDER BY id;
