"""What somebody does who may write to the store and knows how it works: edit, and hash everything behind it anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from orchestration.canonical import canonical
from orchestration.ledger.chain import GENESIS, commitment, entry_hash
from orchestration.store.tables import ledger_entry, ledger_payload

Edit = Callable[[dict[str, Any], dict[str, Any] | None], bool]


def rehash(connection: Connection, edit: Edit = lambda _body, _payload: True) -> None:
    """Write every entry anew with fitting numbers, hashes and commitments.

    Args:
        connection: In a write transaction.
        edit: May change a body and its payload, and says whether the entry stays.
    """
    query = select(ledger_entry.c.body, ledger_payload.c.salt, ledger_payload.c.payload)
    rows = connection.execute(query.select_from(ledger_entry.outerjoin(ledger_payload)).order_by(ledger_entry.c.seq))
    told = [(json.loads(row.body), row.salt, json.loads(row.payload) if row.payload else None) for row in rows]
    connection.execute(delete(ledger_payload))
    old = {row.seq: row for row in connection.execute(select(ledger_entry))}
    connection.execute(delete(ledger_entry))
    previous, seq = GENESIS, 0
    for body, salt, payload in told:
        was = old[body["seq"]]
        if not edit(body, payload):
            continue
        seq += 1
        body["seq"], body["previous"] = seq, previous
        covered = None if payload is None else canonical(payload)
        body["commitment"] = None if covered is None else commitment(salt, covered)
        written = canonical(body)
        previous = entry_hash(written)
        values = {
            "seq": seq,
            "kind": body["kind"],
            "action": body["action"],
            "at": was.at,
            "previous": body["previous"],
        }
        connection.execute(insert(ledger_entry).values(**values, body=written.decode(), hash=previous))
        if covered is not None:
            connection.execute(insert(ledger_payload).values(seq=seq, salt=salt, payload=covered.decode()))
