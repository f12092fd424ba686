-- One of our own people: their rows complete tickets and comments.
SELECT 'user' AS source_table, _key AS source_key
FROM "user"
WHERE role <> 'end-user'
