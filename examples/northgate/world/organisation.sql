-- One true organisation. `family` is the group it belongs to, `member` 0 its first firm.
CREATE TABLE organisation AS
WITH firm AS (
    SELECT
        i AS family,
        CASE
            WHEN u(i, 'kind') < .80 THEN 'company'
            WHEN u(i, 'kind') < .85 THEN 'llp'
            WHEN u(i, 'kind') < .93 THEN 'sole'
            WHEN u(i, 'kind') < .97 THEN 'public'
            ELSE 'plc'
        END AS kind,
        pick('founders', i, 'founder') AS founder,
        pick('founders', i, 'second founder') AS second,
        pick('coined', i, 'coined') AS coined,
        pick('given', i, 'owner') AS owner,
        below(i, 'town', len(getvariable('towns'))) + 1 AS town
    FROM range(getvariable('families')) AS families (i)
),

named AS (
    SELECT
        *,
        CASE
            WHEN kind = 'public' THEN getvariable('towns')[town].city
            WHEN kind = 'sole' THEN owner[1] || ' ' || founder
            WHEN kind = 'llp' THEN founder || ' ' || second
            WHEN u(family, 'brand') < .16 THEN founder
            WHEN u(family, 'brand') < .26 THEN founder || ' & ' || second
            WHEN u(family, 'brand') < .32 THEN founder || CASE WHEN u(family, 'sons') < .6 THEN ' & Sons'
                ELSE ' Bros' END
            WHEN u(family, 'brand') < .40 THEN getvariable('towns')[town].city
            WHEN u(family, 'brand') < .46
                THEN upper(founder[1] || second[1] || coined[1] || CASE WHEN u(family, 'fourth') < .3 THEN coined[3]
                    ELSE '' END)
            ELSE coined
        END AS first_brand,
        CASE
            WHEN kind = 'public' THEN pick('public', family, 'body')
            WHEN kind = 'llp' THEN CASE WHEN u(family, 'sector') < .5 THEN 'Solicitors' ELSE 'Accountants' END
            WHEN u(family, 'brand') >= .46 AND u(family, 'sector') < .08 THEN ''
            ELSE pick('sectors', family, 'sectors')
        END AS sector
    FROM firm
),

-- the registrar refuses a name that is taken
distinguished AS (
    SELECT
        *,
        CASE row_number() OVER (PARTITION BY upper(first_brand), sector ORDER BY family)
            WHEN 1 THEN upper(first_brand[1]) || first_brand[2:]
            WHEN 2 THEN first_brand || ' ' || coined
            ELSE coined || ' ' || pick('coined', family, 'spare')
        END AS brand
    FROM named
),

members AS (
    SELECT *, 0 AS member FROM distinguished
    UNION ALL
    SELECT *, unnest(range(1, 2 + below(family, 'members', 3))) AS member
    FROM distinguished
    WHERE kind IN ('company', 'plc') AND u(family, 'group') < getvariable('group_share')
),

worded AS (
    SELECT
        *,
        row_number() OVER (ORDER BY family, member) - 1 AS org,
        family * 8 + member AS draw,
        member = 1 AND u(family, 'holding') < .7 AS is_holding,
        CASE
            WHEN member = 0 THEN trim(brand || ' ' || sector)
            WHEN member = 1 AND u(family, 'holding') < .35 THEN brand || ' Holdings'
            WHEN member = 1 AND u(family, 'holding') < .55 THEN trim(brand || ' ' || sector) || ' Holdings'
            WHEN member = 1 AND u(family, 'holding') < .70 THEN brand || ' Group'
            WHEN u(draw, 'branch') < .5
                THEN trim(brand || ' ' || sector) || ' '
                    || getvariable('subsidiaries')[1 + (below(family, 'sub', 6) * 3 + member) % 18]
            ELSE brand || ' ' || getvariable('subsidiaries')[1 + (below(family, 'sub', 6) * 3 + member) % 18]
        END AS short_name
    FROM members
),

formed AS (
    SELECT
        *,
        CASE kind
            WHEN 'company' THEN CASE WHEN u(draw, 'form') < .6 THEN 'Limited' ELSE 'Ltd' END
            WHEN 'plc' THEN CASE WHEN u(draw, 'form') < .5 THEN 'PLC' ELSE 'Public Limited Company' END
            WHEN 'llp' THEN 'LLP'
            ELSE ''
        END AS form,
        first_value(org) OVER (PARTITION BY family ORDER BY is_holding DESC, member) AS parent,
        slug(CASE WHEN u(family, 'long domain') < .6 OR len(slug(brand)) < 7 THEN brand || sector
            ELSE brand END) AS stem
    FROM worded
),

domained AS (
    SELECT
        *,
        CASE WHEN kind = 'sole' AND u(family, 'own domain') < .6 THEN NULL
            ELSE stem
                || CASE WHEN dense_rank() OVER (PARTITION BY stem ORDER BY family) > 1
                    THEN slug(getvariable('towns')[town].city) || CASE
                        WHEN dense_rank() OVER (PARTITION BY stem ORDER BY family) > 2 THEN family::VARCHAR ELSE '' END
                    ELSE '' END
                || CASE WHEN member > 0 AND u(draw, 'member domain') < .3
                    THEN '-' || slug(split_part(short_name, ' ', -1)) ELSE '' END
                || CASE WHEN kind = 'public' THEN '.org.uk' WHEN u(family, 'tld') < .62 THEN '.co.uk'
                    WHEN u(family, 'tld') < .9 THEN '.com'
                    WHEN u(family, 'tld') < .96 THEN '.uk' ELSE '.net' END
        END AS domain
    FROM formed
)

SELECT
    org,
    family,
    member,
    draw,
    kind,
    CASE WHEN parent <> org THEN parent END AS parent,
    brand,
    sector,
    founder,
    owner,
    short_name,
    form,
    trim(short_name || ' ' || form) AS legal_name,
    CASE WHEN kind IN ('company', 'sole') AND member = 0 AND u(family, 'trades') < .13
        THEN CASE WHEN u(family, 'trades') < .05
            THEN 'The ' || pick('coined', family, 'trading') || ' ' || split_part(sector, ' ', 1)
            WHEN u(family, 'trades') < .09 THEN pick('coined', family, 'trading') || ' ' || sector
            ELSE brand END
    END AS trading_name,
    domain,
    town,
    CASE
        WHEN kind IN ('company', 'plc', 'llp') AND u(draw, 'registered for vat') < .92
            OR kind = 'sole' AND u(draw, 'registered for vat') < .45
            OR kind = 'public' AND u(draw, 'registered for vat') < .55 THEN vat_number(org)
    END AS vat,
    CASE WHEN kind IN ('company', 'plc', 'llp') THEN company_number(org, kind, town) END AS company_number,
    CASE WHEN u(draw, 'role') < .22 THEN 'prospect' WHEN u(draw, 'role') < .85 THEN 'customer' ELSE 'vendor' END AS role
FROM domained
ORDER BY org;
