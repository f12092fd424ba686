-- One trade with a customer or vendor that is to be: what was ordered, billed and paid, and when.
CREATE TABLE trade AS
WITH party AS (
    SELECT seen, tab, org, key FROM organisation_row WHERE tab IN ('customer', 'vendor') AND NOT deleted
    UNION ALL
    SELECT -seen, tab, NULL, key FROM person_row WHERE tab = 'customer'
),

counted AS (
    SELECT
        *,
        seen * 64 + unnest(range(least(60, 1 + floor(-ln(1 - u(seen, 'trades')) * CASE WHEN org IS NULL THEN 1.2
            WHEN tab = 'customer' THEN 4.6 ELSE 2.4 END)::INT)))
            AS draw
    FROM party
),

dated AS (
    SELECT
        *,
        getvariable('as_of') - floor(u(draw, 'issued') ** 1.25 * 720)::INT AS issued,
        coalesce(terms_of(org).days, 30) AS days,
        coalesce(currency_of(org).id, 1) AS currency,
        greatest(amount(draw, 'trade', 6.9), 5) AS net
    FROM counted
),

due AS (
    SELECT
        *,
        issued + days AS due,
        date_diff('day', issued + days, getvariable('as_of')) AS late,
        (net + round(net * .2, 2))::DECIMAL(12, 2) AS gross
    FROM dated
)

SELECT
    *,
    tab = 'vendor' OR u(draw, 'ordered') < .62 AS ordered,
    u(draw, 'received') < .82 AS received,
    tab = 'customer' OR u(draw, 'billed') < .85 AS billed,
    CASE
        WHEN late > 90 THEN CASE WHEN u(draw, 'paid') < .994 THEN 1 ELSE 0 END
        WHEN late > 0 THEN CASE WHEN u(draw, 'paid') < .73 THEN 1 WHEN u(draw, 'paid') < .77 THEN .5 ELSE 0 END
        ELSE CASE WHEN u(draw, 'paid') < .28 THEN 1 ELSE 0 END
    END AS paid_share,
    late > 0 AND u(draw, 'disputed') < .10 OR u(draw, 'disputed') < .01 AS disputed,
    row_number() OVER (ORDER BY issued, draw) AS n
FROM due
ORDER BY n;
