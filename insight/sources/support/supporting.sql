-- One of our own people: a row that completes comments, or nothing yet.
SELECT 'user' AS source_table, _key AS source_key
FROM "user"
WHERE role <> 'end-user'
