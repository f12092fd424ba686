-- One pair of positions that a veto forbids.
SELECT one.position AS a, other.position AS b
FROM link
JOIN node AS one ON one.record_id = record_a
JOIN node AS other ON other.record_id = record_b
WHERE status = 'vetoed'
