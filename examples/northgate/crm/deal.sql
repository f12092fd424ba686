-- One deal with a company.
CREATE TABLE crm.deal AS
SELECT
    deal_key(seen, n) AS deal_id,
    u(seen * 8 + n, 'deal deleted') < .01 AS is_deleted,
    synced(seen) AS _fivetran_synced,
    'default' AS deal_pipeline_id,
    ['appointmentscheduled', 'qualifiedtobuy', 'presentationscheduled', 'contractsent', 'closedwon', 'closedwon',
        'closedlost']
        [1 + below(seen * 8 + n, 'deal stage', 7)] AS deal_pipeline_stage_id,
    44000001 + below(org, 'owner', 12) AS owner_id,
    4727653::BIGINT AS portal_id,
    name || ' - ' || pick('items', seen * 8 + n, 'deal item') AS property_dealname,
    CASE WHEN u(seen * 8 + n, 'described') < .3
        THEN pick('notes', seen * 8 + n, 'description') END AS property_description,
    CASE
        WHEN u(seen * 8 + n, 'deal valued') < .08 THEN NULL
        WHEN u(seen * 8 + n, 'amount unreadable') < 4 * rate('amount unreadable')
            THEN ['TBC', '12k-15k', 'see quote'][1 + below(seen, 'unvalued', 3)]
        WHEN u(seen * 8 + n, 'amount style') < .03 THEN '£' || format('{:,.2f}', deal_amount(seen, n))
        ELSE deal_amount(seen, n)::VARCHAR
    END AS property_amount,
    currency_of(org).symbol AS property_deal_currency_code,
    written_stamp(least(age, 30) - 60 * u(seen * 8 + n, 'closes'), seen * 8 + n, 'closed') AS property_closedate,
    written_stamp(age * u(seen * 8 + n, 'opened'), seen * 8 + n, 'opened') AS property_createdate
FROM company_deal
ORDER BY deal_id;
