"""What the agents did: the audit tables that analysts query, and the report that is counted from them.

`gather` reads the store into DuckDB, `tables/*.sql` make one table each of it, `publish` writes them to a file;
`numbers/*.sql` count a period, `page` and the command line show it. Nothing here decides, and nothing is counted twice:
the table, the JSON and the page say the same numbers, which are those of the published tables.
"""
