"""What a record, a fact and a published table look like: one declaration, read by insight, the graph and the gate.

Here belong names and types of columns. How a value is read from a source belongs to `insight/sources`, how it is
cleaned to `insight/records`, and how a snapshot is written to `publish`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "text",
    "org_name",
    "person_name",
    "given_name",
    "family_name",
    "email",
    "phone",
    "website",
    "vat_number",
    "company_number",
    "lei",
    "identifiers",
    "address",
    "postcode",
    "country",
    "date",
    "birth_date",
    "timestamp",
    "money",
    "currency",
    "integer",
    "boolean",
    "key",
]
"""What a value is, so that `insight/records` knows which library normalises it."""

DUCKDB_TYPE: Final[dict[str, str]] = {
    "date": "DATE",
    "birth_date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "money": "DECIMAL(18,2)",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "identifiers": "VARCHAR[]",
}
"""The DuckDB type of a kind; every other kind is `VARCHAR`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a record or fact.

    `refers_to` names the record type or fact that a `key` column holds a source's own key of; `required` fields that
    are missing or unreadable send the source row to quarantine.
    """

    name: str
    kind: Kind = "text"
    refers_to: str | None = None
    required: bool = False

    @property
    def duckdb_type(self) -> str:
        """The column's type in Parquet and in the graph."""
        return DUCKDB_TYPE.get(self.kind, "VARCHAR")


@dataclass(frozen=True, slots=True)
class Shape:
    """A record type or a fact: its name and its fields beside the columns every record has."""

    name: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field of that name.

        Raises:
            KeyError: There is none.
        """
        return next(field for field in self.fields if field.name == name) if name in self.names else _missing(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in order."""
        return tuple(field.name for field in self.fields)


def _missing(name: str) -> Field:
    raise KeyError(name)


ORGANISATION: Final = Shape(
    "organisation",
    (
        Field("name", "org_name", required=True),
        Field("legal_name", "org_name"),
        Field("trading_name", "org_name"),
        Field("vat_number", "vat_number"),
        Field("company_number", "company_number"),
        Field("lei", "lei"),
        Field("identifiers", "identifiers"),
        Field("website", "website"),
        Field("email", "email"),
        Field("phone", "phone"),
        Field("address", "address"),
        Field("city"),
        Field("region"),
        Field("postcode", "postcode"),
        Field("country", "country"),
        Field("role"),
        Field("payment_terms"),
        Field("currency", "currency"),
        Field("parent_key", "key", refers_to="organisation"),
        Field("owner"),
        Field("opted_out", "boolean"),
        Field("created_at", "timestamp"),
        Field("updated_at", "timestamp"),
    ),
)

PERSON: Final = Shape(
    "person",
    (
        Field("name", "person_name", required=True),
        Field("given_name", "given_name"),
        Field("middle_name", "given_name"),
        Field("family_name", "family_name"),
        Field("email", "email"),
        Field("other_email", "email"),
        Field("phone", "phone"),
        Field("mobile", "phone"),
        Field("birth_date", "birth_date"),
        Field("identifiers", "identifiers"),
        Field("job_title"),
        Field("organisation_key", "key", refers_to="organisation"),
        Field("organisation_name", "org_name"),
        Field("address", "address"),
        Field("city"),
        Field("region"),
        Field("postcode", "postcode"),
        Field("country", "country"),
        Field("opted_out", "boolean"),
        Field("created_at", "timestamp"),
        Field("updated_at", "timestamp"),
    ),
)

RECORD_TYPES: Final[dict[str, Shape]] = {shape.name: shape for shape in (ORGANISATION, PERSON)}
"""Record types, linked into entities, in the order in which they are linked."""

_PARTIES: Final = (
    Field("organisation_key", "key", refers_to="organisation"),
    Field("person_key", "key", refers_to="person"),
)

ADDED_UP: Final = frozenset({"opted_out", "created_at", "updated_at", "identifiers"})
"""Fields whose golden value is made of every record's: of these nobody can say which record is right."""

FACTS: Final[dict[str, Shape]] = {
    shape.name: shape
    for shape in (
        Shape(
            "deal",
            (
                *_PARTIES,
                Field("name"),
                Field("stage"),
                Field("amount", "money"),
                Field("currency", "currency"),
                Field("owner"),
                Field("created_at", "timestamp"),
                Field("closed_at", "timestamp"),
            ),
        ),
        Shape(
            "sales_order",
            (
                *_PARTIES,
                Field("number"),
                Field("status"),
                Field("amount", "money"),
                Field("currency", "currency"),
                Field("ordered_on", "date"),
            ),
        ),
        Shape(
            "invoice",
            (
                *_PARTIES,
                Field("number"),
                Field("direction"),  # receivable (we are owed) or payable (a vendor's bill)
                Field("status"),
                Field("amount", "money", required=True),
                Field("amount_open", "money", required=True),
                Field("currency", "currency", required=True),
                Field("issued_on", "date"),
                Field("due_on", "date"),
                Field("disputed", "boolean"),
                Field("order_key", "key", refers_to="sales_order"),
            ),
        ),
        Shape(
            "payment",
            (
                *_PARTIES,
                Field("invoice_key", "key", refers_to="invoice"),
                Field("amount", "money", required=True),
                Field("currency", "currency"),
                Field("paid_on", "date"),
            ),
        ),
        Shape(
            "purchase_order",
            (
                *_PARTIES,
                Field("number"),
                Field("status"),
                Field("amount", "money"),
                Field("currency", "currency"),
                Field("ordered_on", "date"),
            ),
        ),
        Shape(
            "receipt",
            (
                *_PARTIES,
                Field("order_key", "key", refers_to="purchase_order"),
                Field("status"),
                Field("received_on", "date"),
            ),
        ),
        Shape(
            "ticket",
            (
                *_PARTIES,
                Field("subject"),
                Field("status"),
                Field("priority"),
                Field("created_at", "timestamp"),
                Field("updated_at", "timestamp"),
            ),
        ),
        Shape(
            "message",  # a note, call, e-mail, comment, or a reminder in the dunning history
            (
                *_PARTIES,
                Field("kind"),
                Field("direction"),
                Field("ticket_key", "key", refers_to="ticket"),
                Field("invoice_key", "key", refers_to="invoice"),
                Field("stage", "integer"),
                Field("effect_key"),
                Field("recipient", "email"),
                Field("subject"),
                Field("preview"),
                Field("sent_at", "timestamp"),
            ),
        ),
    )
}
"""Facts, which hang off entities through the source's own keys."""

SHAPES: Final[dict[str, Shape]] = RECORD_TYPES | FACTS

COMMON: Final[tuple[tuple[str, str], ...]] = (
    ("record_id", "VARCHAR"),  # system:table:key
    ("system", "VARCHAR"),
    ("source_table", "VARCHAR"),
    ("source_key", "VARCHAR"),
    ("row_hash", "VARCHAR"),  # of the source row's declared, non-volatile columns
    ("weak_fields", "VARCHAR[]"),  # fields of this record that only `public` or `precede` asserts
    ("verified_fields", "VARCHAR[]"),  # fields of this record asserted as `verified`; every other one is `staff`
)
"""The columns that every conformed record and fact has before its own."""


def record_id(system: str, table: str, key: str) -> str:
    """The identity of a source row, `system:table:key`, and of the record that it yields.

    A row that yields a second record of another type gets `system:table:key#type` for it.
    """
    return f"{system}:{table}:{key}"
