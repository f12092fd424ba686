-- The billing address of a customer or vendor. Sometimes the firm's name stands where the street should.
CREATE TABLE erp.entity_address AS
SELECT
    500000 + key AS nkey,
    deleted AS _fivetran_deleted,
    synced(seen) AS _fivetran_synced,
    CASE WHEN u(seen, 'name as line') < .02 THEN name ELSE address1 END AS addr1,
    CASE WHEN u(seen, 'name as line') < .02 THEN address1 ELSE address2 END AS addr2,
    CASE WHEN u(seen, 'name as line') < .02 THEN address2 END AS addr3,
    name AS addressee,
    CASE WHEN u(seen, 'address phone') < .1 THEN phone END AS addrphone,
    concat_ws(chr(10), name, address1, address2, city, postcode) AS addrtext,
    CASE WHEN u(seen, 'attention') < .2 THEN CASE WHEN u(seen, 'attention') < .08 THEN attention
        ELSE 'Accounts Payable' END END AS attention,
    city,
    county AS state,
    postcode AS zip,
    CASE WHEN u(seen, 'address country') < .95 THEN 'GB' END AS country,
    written_stamp(age * u(seen, 'last change'), seen, 'modified') AS lastmodifieddate,
    'F' AS override,
    key AS recordowner
FROM organisation_row
WHERE tab IN ('customer', 'vendor') AND (address1 IS NOT NULL OR postcode IS NOT NULL)
ORDER BY nkey;
