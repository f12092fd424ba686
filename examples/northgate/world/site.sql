-- One place that an organisation is or was at: slot 0 now, 1 before it moved, 2 a branch. `place` is the building,
-- which
-- a serviced office, a business park or a group shares among several.
CREATE TABLE site AS
WITH occupied AS (
    SELECT
        *,
        CASE
            WHEN slot = 0 AND member > 0 AND u(draw, 'group place') < .55 THEN family * 32
            WHEN u(draw * 4 + slot, 'shared place') < getvariable('shared_place_share')
                THEN -1 - below(draw * 4 + slot, 'which place', greatest(1, getvariable('families') // 25))
            ELSE draw * 4 + slot
        END AS place
    FROM (
        SELECT org, family, member, draw, town AS home_town, 0 AS slot FROM organisation
        UNION ALL
        SELECT org, family, member, draw, town, 1 FROM organisation WHERE u(draw, 'moved') < .16
        UNION ALL
        SELECT org, family, member, draw, town, 2 FROM organisation WHERE u(draw, 'branch') < .07
    )
),

located AS (
    SELECT
        *,
        getvariable('towns')[CASE
            WHEN place < 0 OR slot = 2 OR (member > 0 AND place = draw * 4 + slot)
                OR (slot = 1 AND u(draw, 'moved far') < .25) THEN 1 + below(place, 'town', len(getvariable('towns')))
            ELSE home_town
        END] AS town
    FROM occupied
)

SELECT
    org,
    slot,
    place,
    CASE
        WHEN place < 0 THEN CASE WHEN u(draw, 'unit word') < .6 THEN 'Unit '
            ELSE 'Suite ' END || (1 + below(draw, 'unit', 40))
        WHEN u(place, 'unit word') < .14 THEN 'Unit ' || (1 + below(place, 'unit', 30))
        WHEN u(place, 'unit word') < .20 THEN 'First Floor'
        WHEN u(place, 'unit word') < .24
            THEN 'Suite ' || (1 + below(place, 'unit', 9)) || chr((65 + below(place, 'letter', 4))::INT)
    END AS unit,
    CASE WHEN place < 0 OR u(place, 'named') < .12
        THEN pick('coined', place, 'premises') || ' ' || pick('premises', place, 'kind of premises') || ', ' ELSE '' END
        || CASE WHEN u(place, 'numbered') < .88 THEN (1 + below(place, 'number', 180))::VARCHAR || ' ' ELSE '' END
        || pick('streets', place, 'street') || ' ' || pick('street_kinds', place, 'kind of street') AS street,
    town.city AS city,
    town.county AS county,
    town.area || (1 + below(place, 'district', town.districts)) || ' ' || below(place, 'sector', 10)
        || 'ABDEFGHJLNPQRSTUWXYZ'[1 + below(place, 'inward', 20)]
            || 'ABDEFGHJLNPQRSTUWXYZ'[1 + below(place, 'inward two', 20)]
        AS postcode,
    -- the switchboard: a group's members and a serviced office's tenants may answer on one
    CASE
        WHEN slot = 1 AND u(draw, 'kept number') < .5 THEN telephone(draw * 4, getvariable('towns')[home_town])
        WHEN place < 0 AND u(draw, 'shared line') < .35 THEN telephone(place, town)
        WHEN member > 0 AND u(draw, 'group line') < .45 THEN telephone(family * 32, getvariable('towns')[home_town])
        ELSE telephone(draw * 4 + slot, town)
    END AS phone
FROM located
ORDER BY org, slot;
