-- One row is an entity of some effect that may be another today than it was then: one of its records is elsewhere or gone,
-- or something was merged into it. Cheap, and too many: `taint.sql` says of which effects it is so.
SELECT DISTINCT was.entity_id
FROM was
LEFT JOIN crosswalk AS today ON today.record_id = was.record_id
WHERE today.entity_id IS DISTINCT FROM was.entity_id
UNION
SELECT event.other_entity_id AS entity_id
FROM entity_event AS event
WHERE event.event = 'merged' AND event.other_entity_id IN (SELECT entity_id FROM was)
