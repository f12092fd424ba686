-- One ticket that is to be: the user who asks, and its number among his.
CREATE TABLE user_ticket AS
WITH counted AS (
    SELECT seen, key, org_key, email, age, unnest(range(below(seen, 'tickets', 4))) AS n FROM person_row
        WHERE tab = 'user'
)

SELECT *, row_number() OVER (ORDER BY seen, n) + 1000 AS ticket_id, seen * 8 + n AS draw
    FROM counted ORDER BY ticket_id;
