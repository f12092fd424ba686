-- What facts of all systems share: keys, times and amounts as systems write them, terms and currencies of a customer.
CREATE MACRO synced(k) AS (getvariable('as_of')::TIMESTAMP + to_seconds(18000 + k % 600))::TIMESTAMPTZ;
CREATE MACRO deal_key(seen, n) AS 1200000000 + seen * 8 + n;
CREATE MACRO note_key(seen, n) AS 19700000000 + seen * 8 + n;
CREATE MACRO amount(k, salt, scale) AS round(exp(scale + 1.1 * bell(k, salt)), 2)::DECIMAL(12, 2);
CREATE MACRO deal_amount(seen, n) AS amount(seen * 8 + n, 'deal', 8.6);
CREATE MACRO terms_of(org) AS [
    {'id': 1, 'name': 'Net 30', 'days': 30}, {'id': 1, 'name': 'Net 30', 'days': 30},
        {'id': 2, 'name': 'Net 14', 'days': 14},
    {'id': 3, 'name': 'Net 45', 'days': 45}, {'id': 4, 'name': 'Net 60', 'days': 60}][1 + below(org, 'terms', 5)];
CREATE MACRO currency_of(org) AS CASE
    WHEN u(org, 'currency') < .92 THEN {'id': 1, 'symbol': 'GBP'}
        WHEN u(org, 'currency') < .97 THEN {'id': 4, 'symbol': 'EUR'}
    ELSE {'id': 2, 'symbol': 'USD'} END;
-- mostly in the usual form; some with an offset, some as people in Britain write it, some on a day that never was
CREATE MACRO written_stamp(days, k, salt) AS CASE
    WHEN u(k, salt || ' date') < rate('date impossible')
        THEN ['2025-02-30 09:00:00', '31/11/2024 10:15', '2024-13-05 08:30:00'][1 + below(k, salt, 3)]
    WHEN u(k, salt || ' date') < .06 THEN strftime(stamp(days, k, salt), '%Y-%m-%dT%H:%M:%S+01:00')
    WHEN u(k, salt || ' date') < .12 THEN strftime(stamp(days, k, salt), '%Y-%m-%dT%H:%M:%SZ')
    WHEN u(k, salt || ' date') < .15 THEN strftime(stamp(days, k, salt), '%d/%m/%Y %H:%M')
    ELSE strftime(stamp(days, k, salt), '%Y-%m-%d %H:%M:%S')
END;
CREATE MACRO written_day(day, k, salt) AS CASE
    WHEN u(k, salt || ' date') < rate('date impossible') * .4
        THEN ['2025-02-30', '31/06/2025', '2026-00-12'][1 + below(k, salt, 3)]
    WHEN u(k, salt || ' date') < .02 THEN strftime(day, '%d/%m/%Y')
    ELSE strftime(day, '%Y-%m-%d 00:00:00')
END;
