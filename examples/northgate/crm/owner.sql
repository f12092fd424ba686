-- One of Northgate's own people in sales.
CREATE TABLE crm.owner AS
SELECT
    44000001 + i AS owner_id,
    synced(i) AS _fivetran_synced,
    strftime(stamp(2400 - i, i, 'owner'), '%Y-%m-%d %H:%M:%S') AS created_at,
    4727653::BIGINT AS portal_id,
    'PERSON' AS type,
    strftime(stamp(40, i, 'owner'), '%Y-%m-%d %H:%M:%S') AS updated_at,
    slug(pick('given', i, 'seller')) || '.' || slug(pick('family', i, 'seller family'))
        || '@northgate-supplies.example' AS email,
    pick('given', i, 'seller') AS first_name,
    pick('family', i, 'seller family') AS last_name,
    901 + i AS active_user_id
FROM range(12) AS sellers (i);
