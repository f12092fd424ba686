-- Numbers as their issuers make them: valid by their check digits, and different for every firm.
CREATE MACRO seed_number() AS getvariable('seed')::BIGINT % 1000003;
CREATE MACRO vat_stem(n) AS ((1000003 + (n * 2654435 + seed_number() * 7919) % 8999959)::BIGINT)::VARCHAR;
CREATE MACRO vat_sum(s) AS
    s[1]::INT * 8 + s[2]::INT * 7 + s[3]::INT * 6 + s[4]::INT * 5 + s[5]::INT * 4 + s[6]::INT * 3 + s[7]::INT * 2;
-- modulus 97, and for two firms in three its younger form, which subtracts 55 more
CREATE MACRO vat_check(s, young) AS (97 - (vat_sum(s) + CASE WHEN young THEN 55 ELSE 0 END) % 97) % 97;
CREATE MACRO vat_number(n) AS vat_stem(n) || lpad(vat_check(vat_stem(n), n % 3 > 0)::VARCHAR, 2, '0');
CREATE MACRO company_number(n, kind, town) AS
    CASE
        WHEN kind = 'llp' THEN 'OC' || lpad(((300007 + n * 611953 + seed_number()) % 999983)::VARCHAR, 6, '0')
        WHEN getvariable('towns')[town].area IN ('EH', 'G', 'AB', 'DD', 'IV', 'PH')
            THEN 'SC' || lpad(((100003 + n * 611953 + seed_number()) % 999983)::VARCHAR, 6, '0')
        WHEN getvariable('towns')[town].area = 'BT'
            THEN 'NI' || lpad(((600011 + n * 611953 + seed_number()) % 999983)::VARCHAR, 6, '0')
        ELSE lpad(((1234567 + n * 7368787 + seed_number()) % 14999981)::VARCHAR, 8, '0')
    END;
-- a landline as its exchange numbers it, without spaces
CREATE MACRO telephone(k, town) AS
    town.dial || town.first || digits(k, 'telephone', 10 - len(town.dial));
CREATE MACRO mobile(k) AS '07' || (300 + below(k, 'network', 300)) || digits(k, 'mobile', 6);
