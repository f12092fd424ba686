"""Sources are folders: `source.yml` and one `.sql` per record type or fact, read without any way to write.

`source` says what a folder may contain, `location` where its data is, `readers` how tables are read, `sandbox` where
a folder's `.sql` runs. What was read is landed by `insight/landing`.
"""
