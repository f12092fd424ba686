-- Draws that depend on the seed, a key and a salt alone, so that a row is the same whatever runs beside it.
CREATE MACRO bits(k, salt) AS hash(hash(k, salt, getvariable('seed')));
CREATE MACRO u(k, salt) AS (bits(k, salt) >> 11)::DOUBLE / 9007199254740992.0;
CREATE MACRO below(k, salt, n) AS (bits(k, salt) % n)::BIGINT;
CREATE MACRO pick(pool, k, salt) AS getvariable(pool)[1 + (bits(k, salt) % len(getvariable(pool)))::BIGINT];
CREATE MACRO digits(k, salt, n) AS lpad((bits(k, salt) % (10 ** n)::UBIGINT)::VARCHAR, (n)::INT, '0');
-- about normal, with mean 0 and deviation 1
CREATE MACRO bell(k, salt) AS (u(k, salt || '1') + u(k, salt || '2') + u(k, salt || '3') - 1.5) * 2.0;
-- a rate of the kind of dirt in force
CREATE MACRO rate(name) AS getvariable('rates')[name];
CREATE MACRO chance(k, salt) AS u(k, salt) < rate(salt);
-- letters and digits alone, as in a domain or the local part of a mailbox
CREATE MACRO slug(s) AS regexp_replace(lower(strip_accents(replace(replace(s, 'ł', 'l'), 'Ł', 'L'))), '[^a-z0-9]', '',
    'g');
CREATE MACRO stamp(days, k, salt) AS
    (getvariable('as_of')::TIMESTAMP - to_seconds((days * 86400)::BIGINT) + to_seconds(27000 + below(k, salt, 36000)));
