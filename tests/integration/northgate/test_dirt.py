"""Each kind of dirt that real systems have is there, whichever way it was made."""

from __future__ import annotations

import duckdb
import pytest
from stdnum.gb import vat

KNOWN = """
CREATE OR REPLACE TEMP VIEW true_company AS SELECT company.*, entity FROM crm_company AS company
    JOIN truth ON source_table = 'company' AND source_key = company.id::VARCHAR;
CREATE OR REPLACE TEMP VIEW true_customer AS SELECT customer.*, entity FROM erp_customer AS customer
    JOIN truth ON source_table = 'customer' AND source_key = customer.id::VARCHAR AND record_type = 'organisation';
CREATE OR REPLACE TEMP VIEW true_contact AS SELECT contact.*, entity FROM crm_contact AS contact
    JOIN truth ON source_table = 'contact' AND source_key = contact.id::VARCHAR;
CREATE OR REPLACE TEMP VIEW true_user AS SELECT users.*, entity FROM support_user AS users
    JOIN truth ON source_table = 'user' AND source_key = users.id::VARCHAR;
"""

DIRT = {
    "legal forms left out or written otherwise": (
        "SELECT entity FROM true_company GROUP BY entity HAVING count(DISTINCT regexp_replace(lower(property_name), "
        "' (limited|ltd\\.?)$', '')) < count(DISTINCT property_name)"
    ),
    "trading names": (
        "SELECT * FROM true_company JOIN true_customer USING (entity) "
        "WHERE jaro_winkler_similarity(lower(property_name), lower(companyname)) < .6"
    ),
    "abbreviations": (
        "SELECT * FROM crm_company WHERE regexp_matches(property_name, 'Eng\\b|Svcs|Serv\\b|Intl|Grp|Sols|Hldg')"
    ),
    "moved offices": (
        "SELECT * FROM true_company JOIN true_customer USING (entity) JOIN erp_entity_address "
        "ON nkey = defaultbillingaddress WHERE left(property_zip, 2) <> left(zip, 2)"
    ),
    "shared switchboards": (
        "SELECT phone FROM (SELECT right(regexp_replace(property_phone, '[^0-9]', '', 'g'), 10) AS phone, entity "
        "FROM true_company) WHERE len(phone) = 10 GROUP BY 1 HAVING count(DISTINCT entity) > 1"
    ),
    "shared info@ mailboxes": (
        "SELECT lower(property_email) FROM true_contact WHERE property_email ILIKE 'info@%' "
        "GROUP BY 1 HAVING count(DISTINCT entity) > 1"
    ),
    "households": (
        "SELECT * FROM true_contact AS one JOIN true_contact AS other "
        "ON one.property_lastname = other.property_lastname "
        "AND right(regexp_replace(one.property_mobilephone, '[^0-9]', '', 'g'), 9) "
        "= right(regexp_replace(other.property_mobilephone, '[^0-9]', '', 'g'), 9) AND one.entity <> other.entity"
    ),
    "namesakes": (
        "SELECT * FROM true_contact AS one JOIN true_contact AS other USING (property_firstname, property_lastname) "
        "WHERE one.entity <> other.entity"
    ),
    "people who changed employer": (
        "SELECT contact.entity FROM true_contact AS contact JOIN true_company AS company "
        "ON company.id = contact.property_associatedcompanyid GROUP BY 1 HAVING count(DISTINCT company.entity) > 1"
    ),
    "holdings and subsidiaries of almost the same name": (
        "SELECT * FROM true_customer AS one JOIN true_customer AS other ON one.parent = other.id "
        "WHERE one.entity <> other.entity AND jaro_winkler_similarity(one.companyname, other.companyname) > .85"
    ),
    "typos": (
        "SELECT * FROM true_contact AS one JOIN true_contact AS other USING (entity, property_lastname) "
        "WHERE jaro_winkler_similarity(one.property_firstname, other.property_firstname) BETWEEN .85 AND .98"
    ),
    "swapped fields": (
        "SELECT * FROM true_contact AS one JOIN true_contact AS other USING (entity) "
        "WHERE one.property_firstname = other.property_lastname"
    ),
    "missing fields": "SELECT * FROM crm_contact WHERE property_email IS NULL",
    "reused addresses": (
        "SELECT property_zip FROM true_company GROUP BY property_zip, coalesce(property_address_2, property_address) "
        "HAVING property_zip IS NOT NULL AND count(DISTINCT entity) > 1"
    ),
    "broken encodings": (
        "SELECT property_name FROM crm_company WHERE regexp_matches(property_name, 'Ã|Â|â€|&amp;|\\?') UNION ALL "
        "SELECT property_lastname FROM crm_contact WHERE regexp_matches(property_lastname, 'Ã|Å|â€|\\?')"
    ),
    "duplicates inside one system": "SELECT entity FROM true_customer GROUP BY 1 HAVING count(*) > 1",
    "merges of companies that the system made": (
        "SELECT * FROM crm_company WHERE property_hs_merged_object_ids IS NOT NULL"
    ),
    "merges of contacts that the system made": (
        "SELECT * FROM crm_contact_merge_audit JOIN crm_contact AS kept ON kept.id = canonical_vid "
        "WHERE contains(kept.property_hs_merged_object_ids, vid_to_merge::VARCHAR)"
    ),
    "rows merged away but not deleted": (
        "SELECT * FROM crm_contact_merge_audit JOIN crm_contact AS gone ON gone.id = vid_to_merge "
        "WHERE _fivetran_deleted = 0"
    ),
    "impossible dates": (
        "SELECT * FROM crm_company WHERE regexp_matches(property_createdate, '2025-02-30|31/11|2024-13') UNION ALL "
        "SELECT * FROM crm_company WHERE regexp_matches(property_hs_lastmodifieddate, '2025-02-30|31/11|2024-13')"
    ),
    "times in another zone": "SELECT * FROM crm_contact WHERE property_createdate LIKE '%+01:00'",
    "several currencies": "SELECT DISTINCT currency FROM erp_transaction WHERE currency > 1",
    "organisations that one system knows": (
        "SELECT entity FROM truth WHERE record_type = 'organisation' GROUP BY 1 HAVING count(DISTINCT system) = 1"
    ),
    "organisations that two systems know": (
        "SELECT entity FROM truth WHERE record_type = 'organisation' GROUP BY 1 HAVING count(DISTINCT system) = 2"
    ),
    "deleted rows": "SELECT * FROM crm_company WHERE is_deleted",
    "companies without a name": "SELECT * FROM crm_company WHERE property_name IS NULL",
    "people without a name": "SELECT * FROM crm_contact WHERE property_firstname IS NULL AND property_lastname IS NULL",
    "amounts that nobody can read": (
        "SELECT * FROM erp_transaction_line WHERE mainline = 'T' "
        "AND TRY_CAST(replace(foreignamount, ',', '') AS DOUBLE) IS NULL"
    ),
    "sole traders": "SELECT * FROM erp_customer WHERE isperson = 'T' AND companyname IS NOT NULL",
    "private buyers": "SELECT * FROM erp_customer WHERE isperson = 'T' AND companyname IS NULL",
    "people who do not wish to be written to": "SELECT * FROM crm_contact WHERE property_hs_email_optout",
    "customers who are not to be chased": "SELECT * FROM erp_customer WHERE custentity_no_dunning = 'T'",
}


@pytest.mark.parametrize("kind", DIRT)
def test_there_are(tables: duckdb.DuckDBPyConnection, kind: str) -> None:
    tables.execute(KNOWN)

    assert tables.execute(f"SELECT count(*) FROM ({DIRT[kind]})").fetchall()[0][0] >= 2


def test_some_vat_numbers_are_invalid_some_are_another_firms_and_most_are_right(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    tables.execute(KNOWN)
    stated = tables.execute(
        "SELECT entity, right(regexp_replace(custentity_vat_number, '[^0-9]', '', 'g'), 9) FROM true_customer "
        "WHERE len(regexp_replace(custentity_vat_number, '[^0-9]', '', 'g')) = 9 "
        "UNION SELECT entity, right(regexp_replace(property_vat_number, '[^0-9]', '', 'g'), 9) FROM true_company "
        "WHERE len(regexp_replace(property_vat_number, '[^0-9]', '', 'g')) = 9"
    ).fetchall()
    valid = {(entity, number) for entity, number in stated if vat.is_valid(number)}
    holders = {number: {entity for entity, other in valid if other == number} for _, number in valid}

    assert 3 <= len(stated) - len(valid) < len(stated) * 0.06
    assert 2 <= sum(len(entities) > 1 for entities in holders.values()) < len(holders) * 0.06


def test_invoices_are_paid_open_overdue_and_disputed(tables: duckdb.DuckDBPyConnection) -> None:
    invoices = """
        SELECT head.*, TRY_CAST(foreignamountunpaid AS DECIMAL(12, 2)) AS unpaid
        FROM erp_transaction AS head JOIN erp_transaction_line AS line ON line.transaction = head.id AND mainline = 'T'
        WHERE type = 'CustInvc' AND TRY_CAST(duedate AS TIMESTAMP) IS NOT NULL
    """
    overdue, customers, open_, disputed, paid, total = tables.execute(f"""
        SELECT count(*) FILTER (WHERE unpaid > 0 AND duedate < '2026-11-02'),
            count(DISTINCT entity) FILTER (WHERE unpaid > 0 AND duedate < '2026-11-02'),
            count(*) FILTER (WHERE unpaid > 0 AND duedate >= '2026-11-02'),
            count(*) FILTER (WHERE unpaid > 0 AND duedate < '2026-11-02' AND custbody_disputed = 'T'),
            count(*) FILTER (WHERE unpaid = 0), count(*)
        FROM ({invoices})
    """).fetchall()[0]

    assert 100 <= overdue <= 220
    assert customers > 80
    assert open_ > 100
    assert 3 <= disputed < overdue / 4
    assert paid > total * 0.8


def test_payments_orders_and_receipts_refer_to_what_they_settle(tables: duckdb.DuckDBPyConnection) -> None:
    astray = tables.execute("""
        SELECT count(*) FROM erp_transaction_line AS line
        JOIN erp_transaction AS head ON head.id = line.transaction
        LEFT JOIN erp_transaction AS origin ON origin.id = line.createdfrom
        WHERE mainline = 'T' AND (
            head.type = 'CustPymt' AND origin.type IS DISTINCT FROM 'CustInvc'
            OR head.type = 'ItemRcpt' AND origin.type IS DISTINCT FROM 'PurchOrd'
            OR origin.id IS NOT NULL AND origin.entity <> head.entity)
    """).fetchall()[0][0]

    assert astray == 0
