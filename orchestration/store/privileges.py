"""What the role that the store is opened by may do there, where not every process may do everything."""

from __future__ import annotations

from sqlalchemy import Connection, Table, func, select


def may_read(connection: Connection, *tables: Table) -> bool:
    """Whether every column of these tables may be read: of a file always, on a server where that was granted."""
    if connection.dialect.name == "sqlite":
        return True
    asked = select(*(func.has_table_privilege(table.name, "SELECT") for table in tables))
    return all(connection.execute(asked).one())
