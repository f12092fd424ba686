"""The three shipped source folders, on Northgate in SQLite and in Postgres."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from examples.northgate.build import Targets, build
from examples.northgate.plan import Plan
from examples.northgate.write import SYSTEMS
from insight.landing import land
from insight.records import every
from insight.records.account import Account, account
from insight.records.every import Records
from insight.sources.loading import load_sources
from orchestration.graph.model import FACTS
from orchestration.settings import PROJECT
from tests.conftest import new_database
from tests.integration.sources.folders import rows, settings

OURS = PROJECT / "insight" / "sources"
SOURCES = {source.system: source for source in load_sources(OURS)}
PLAN = Plan(records=1500)


def records_of(home: Path) -> tuple[Records, list[Account]]:
    sources = load_sources(OURS)
    kept = settings(home)
    landed = [one for source in sources for one in land(source, kept)]
    records = every.build(sources, landed, kept)
    return records, account(landed, records.shapes, records.rejected)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    build(PLAN, Targets(folder / "northgate"))
    return folder


@pytest.fixture(scope="module")
def records(home: Path) -> Records:
    return records_of(home)[0]


def ask(query: str, **paths: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query.format(**{name: f"'{path}'" for name, path in paths.items()})).fetchall()


@pytest.fixture(scope="module", params=["A", "B"])
def dirty(request: pytest.FixtureRequest, home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """Northgate with each kind of dirt."""
    plan = replace(PLAN, way=request.param)
    if plan != PLAN:
        home = tmp_path_factory.mktemp("other-dirt")
        build(plan, Targets(home / "northgate"))
    return plan, home


@pytest.fixture(scope="module")
def accounts(dirty: tuple[Plan, Path]) -> list[Account]:
    """What became of its rows."""
    return records_of(dirty[1])[1]


def test_every_row_of_every_table_is_accounted_for(accounts: list[Account]) -> None:
    assert {(one.system, one.source_table): one.unaccounted for one in accounts} == {
        (name, table): 0 for name, one in SOURCES.items() for table in one.tables
    }
    for system in SYSTEMS:
        own = [one for one in accounts if one.system == system]
        assert sum(one.records for one in own) > 100
        assert sum(one.facts for one in own) > 100
        assert sum(one.quarantined for one in own) < sum(one.rows for one in own) / 100


def test_every_line_of_a_transaction_completes_it(accounts: list[Account]) -> None:
    (lines,) = [one for one in accounts if one.source_table == "transaction_line"]
    assert lines.supporting == lines.rows


MERGED = "SELECT canonical_vid, vid_to_merge FROM contact_merge_audit"


def test_what_belonged_to_a_deleted_row_is_refused(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "northgate", tmp_path / "northgate")
    gone = {
        "crm": [
            "UPDATE deal SET is_deleted = 1 WHERE deal_id IN (SELECT deal_id FROM deal LIMIT 9)",
            "UPDATE engagement_note SET _fivetran_deleted = 1 WHERE engagement_id % 9 = 0",
            "DELETE FROM engagement WHERE id IN (SELECT id FROM engagement ORDER BY id DESC LIMIT 9)",
            f"UPDATE contact SET _fivetran_deleted = 1 WHERE id IN (SELECT canonical_vid FROM ({MERGED}) LIMIT 3)",
            f"INSERT INTO contact_merge_audit (canonical_vid, vid_to_merge) SELECT vid_to_merge, 0 FROM ({MERGED})",
            "INSERT INTO owner (owner_id, email) VALUES (999999, 'new@northgate-supplies.example')",
        ],
        "erp": [
            'UPDATE "transaction" SET _fivetran_deleted = 1 WHERE id IN (SELECT id FROM "transaction" LIMIT 50)',
            "UPDATE customer SET _fivetran_deleted = 1 WHERE id IN (SELECT id FROM customer LIMIT 5)",
            "INSERT INTO currency (id, name, symbol) VALUES (999999, 'Yen', 'JPY')",
            "INSERT INTO term (id, name) VALUES (999999, 'Net 99')",
        ],
        "support": [
            "DELETE FROM organization WHERE id IN (SELECT organization_id FROM domain_name LIMIT 5)",
            "DELETE FROM ticket_comment WHERE user_id IN (SELECT id FROM \"user\" WHERE role <> 'end-user' LIMIT 1)",
        ],
    }
    for system, statements in gone.items():
        with closing(sqlite3.connect(tmp_path / "northgate" / f"{system}.db")) as database, database:
            for statement in statements:
                assert database.execute(statement).rowcount > 0, statement
    records, accounts = records_of(tmp_path)
    assert [one for one in accounts if one.unaccounted] == []
    refused = {row["source_table"] for row in rows(records.rejected.quarantine) if row["reason"] == "completes:nothing"}
    assert refused == {
        "contact_merge_audit", "currency", "deal_company", "deal_contact", "domain_name", "engagement",
        "engagement_company", "engagement_contact", "entity_address", "owner", "term", "transaction_line", "user",
    }  # fmt: skip


def test_every_fact_is_there_and_hangs_off_records(records: Records) -> None:
    for name in FACTS:
        found = records.shapes[name]
        assert len(rows(found.record)) > 50, name
        ((known, whole),) = ask(
            "SELECT count(coalesce(organisation_record, person_record)), count(*) FROM {record}",
            record=found.record,
        )
        # Some tickets and notes are of people who work nowhere that is known; a few rows name what was quarantined.
        assert known > 0.97 * whole, name


def landed_rows(home: Path, system: str, table: str) -> Path:
    return next(one.path for one in land(SOURCES[system], settings(home)) if one.table == table)


def test_every_open_amount_is_that_of_the_line_which_completes_the_invoice(home: Path, records: Records) -> None:
    invoices = records.shapes["invoice"]
    ((whole, lines, amounts),) = ask(
        """
        SELECT count(DISTINCT i.record_id), count(*), count(*) FILTER (
            i.amount_open = try_cast(replace(l.foreignamountunpaid, ',', '') AS DECIMAL(18, 2)))
        FROM {record} AS i JOIN {support} AS s USING (record_id)
        JOIN {line} AS l ON s.source_table = 'transaction_line' AND l._key = s.source_key
        """,
        record=invoices.record,
        support=invoices.support,
        line=landed_rows(home, "erp", "transaction_line"),
    )
    assert whole == lines == amounts == len(rows(invoices.record))


def test_every_address_is_that_of_the_row_which_completes_the_customer(home: Path, records: Records) -> None:
    organisations = records.shapes["organisation"]
    ((without, amiss),) = ask(
        """
        SELECT count(*) FILTER (a._key IS NULL), count(*) FILTER (o.city IS DISTINCT FROM trim(a.city))
        FROM {record} AS o
        LEFT JOIN {support} AS s ON s.record_id = o.record_id AND s.source_table = 'entity_address'
        LEFT JOIN {address} AS a ON a._key = s.source_key
        WHERE o.system = 'erp' AND o.city IS NOT NULL
        """,
        record=organisations.record,
        support=organisations.support,
        address=landed_rows(home, "erp", "entity_address"),
    )
    assert (without, amiss) == (0, 0)


def test_records_name_rows_of_every_table_that_they_are_made_of(records: Records) -> None:
    named: dict[str, set[str]] = {system: set() for system in SYSTEMS}
    for one in records.shapes.values():
        for system, table in ask("SELECT DISTINCT system, source_table FROM {support}", support=one.support):
            named[str(system)].add(str(table))
        assert ask("SELECT count(*) FROM {note} WHERE field = 'supported_by'", note=one.note) == [(0,)]
    of_deals = {"deal_company", "deal_contact", "owner"}
    of_notes = {"engagement", "engagement_company", "engagement_contact"}
    assert named == {
        "crm": {"contact_merge_audit", *of_deals, *of_notes},
        "erp": {"currency", "customer", "entity_address", "term", "transaction_line", "vendor"},
        "support": {"domain_name", "ticket", "user"},
    }


@pytest.mark.parametrize(
    ("fact", "column", "share"),
    [("payment", "invoice_record", 0.99), ("invoice", "order_record", 0.3), ("receipt", "order_record", 0.99),
     ("message", "ticket_record", 0.3), ("message", "invoice_record", 0.01)],
)  # fmt: skip
def test_facts_name_one_another(records: Records, fact: str, column: str, share: float) -> None:
    ((known, whole),) = ask(f"SELECT count({column}), count(*) FROM {{record}}", record=records.shapes[fact].record)
    assert known >= share * whole


def test_a_sole_trader_is_an_organisation_and_a_person_who_works_there(records: Records) -> None:
    people = [row for row in rows(records.shapes["person"].record) if row["record_id"].endswith("#person")]
    assert people
    organisations = {row["record_id"] for row in rows(records.shapes["organisation"].record)}
    assert all(f"{row['organisation_record']}#person" == row["record_id"] for row in people)
    assert {row["organisation_record"] for row in people} <= organisations


def test_what_hubspot_merged_stands_for_what_it_kept(records: Records) -> None:
    merges = rows(records.aliases.alias)
    kept = {row["record_id"] for shape in ("organisation", "person") for row in rows(records.shapes[shape].record)}
    assert {row["record_type"] for row in merges} == {"organisation", "person"}
    assert {row["to_record"] for row in merges} <= kept
    assert {row["from_record"] for row in merges} - kept


def test_what_a_support_user_says_of_himself_is_weak_and_a_proved_mailbox_is_verified(records: Records) -> None:
    users = [row for row in rows(records.shapes["person"].record) if row["system"] == "support"]
    assert all("name" in row["weak_fields"] for row in users)
    assert not any("organisation_key" in row["weak_fields"] for row in users)
    proved = [row for row in users if "email" in row["verified_fields"]]
    assert 0 < len(proved) < len(users)
    assert not any("email" in row["weak_fields"] for row in proved)


def test_our_own_agents_are_nobody_we_deal_with(records: Records) -> None:
    mailboxes = {row["email"] for row in rows(records.shapes["person"].record)}
    assert not [address for address in mailboxes if address and address.endswith("@northgate-supplies.example")]


def test_a_reminder_that_precede_wrote_is_no_second_witness(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "northgate", tmp_path / "northgate")
    with sqlite3.connect(tmp_path / "northgate" / "erp.db") as erp:
        ours = (
            "UPDATE customrecord_dunning SET custrecord_created_by = 'precede', custrecord_effect_key = 'k' WHERE id = "
        )
        erp.execute(ours + "(SELECT min(id) FROM customrecord_dunning)")
    erp.close()
    written = [
        row for row in rows(records_of(tmp_path)[0].shapes["message"].record) if row["kind"] == "payment_reminder"
    ]
    assert {row["effect_key"]: "invoice_key" in row["weak_fields"] for row in written} == {"k": True, None: False}


def test_postgres_yields_the_same_records_as_sqlite(
    dirty: tuple[Plan, Path], tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, home = dirty
    urls = {system: new_database(postgres_url, f"records {system} {plan.way}") for system in SYSTEMS}
    build(plan, Targets(tmp_path / "northgate", urls))
    for system, url in urls.items():
        monkeypatch.setenv(f"PRECEDE_{system.upper()}_URL", url)
    here, counts = records_of(tmp_path)
    for system in SYSTEMS:
        monkeypatch.delenv(f"PRECEDE_{system.upper()}_URL")
    there, others = records_of(home)
    assert counts == others
    # Booleans are written otherwise in the two databases, so the hashes of rows are not the same; the records are.
    query = "(SELECT * EXCLUDE (row_hash) FROM {one} EXCEPT SELECT * EXCLUDE (row_hash) FROM {other})"
    for name in here.shapes:
        assert ask(query, one=here.shapes[name].record, other=there.shapes[name].record) == []
        assert rows(here.shapes[name].support) == rows(there.shapes[name].support)
