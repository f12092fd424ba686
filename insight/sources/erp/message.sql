-- One reminder in the dunning history; its own rows say whether staff or Precede sent it.
SELECT
    'customrecord_dunning' AS source_table,
    dunning._key AS source_key,
    CASE
        WHEN customer.isperson = 'T' AND nullif(trim(customer.companyname), '') IS NULL THEN NULL
        ELSE 'customer:' || dunning.custrecord_customer
    END AS organisation_key,
    CASE WHEN customer.isperson = 'T' THEN 'customer:' || dunning.custrecord_customer END AS person_key,
    CASE WHEN dunning.custrecord_stage = '0' THEN 'reminder_withdrawn' ELSE 'payment_reminder' END AS kind,
    'outbound' AS direction,
    dunning.custrecord_invoice AS invoice_key,
    dunning.custrecord_stage AS stage,
    dunning.custrecord_effect_key AS effect_key,
    dunning.custrecord_recipient AS recipient,
    dunning.custrecord_subject AS subject,
    dunning.custrecord_sent_at AS sent_at,
    CASE WHEN lower(dunning.custrecord_created_by) = 'precede' THEN 'precede' ELSE 'staff' END AS asserted_by,
    ['customer:' || customer._key] AS supported_by
FROM customrecord_dunning AS dunning
LEFT JOIN customer ON customer.id = dunning.custrecord_customer
