-- Slips of the keyboard, the spreadsheet and the file encoding, each a function of the value, its row and a salt.
CREATE MACRO place(s, k, salt) AS 2 + below(k, salt || ' place', greatest(1, len(s) - 2));
CREATE MACRO typo(s, k, salt) AS CASE
    WHEN len(s) < 4 THEN s
    WHEN u(k, salt || ' slip') < .3 THEN s[:place(s, k, salt) - 1] || s[place(s, k, salt) + 1:]
    WHEN u(k, salt || ' slip') < .6
        THEN s[:place(s, k, salt) - 1] || s[place(s, k, salt) + 1] || s[place(s, k, salt)] || s[place(s, k, salt) + 2:]
    WHEN u(k, salt || ' slip') < .8 THEN s[:place(s, k, salt)] || s[place(s, k, salt):]
    ELSE s[:place(s, k, salt) - 1] || 'aeioustrnl'[1 + below(k, salt || ' letter', 10)] || s[place(s, k, salt) + 1:]
END;
-- UTF-8 that was read as Windows-1252
CREATE MACRO garble(s) AS
    replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(s,
    'é', 'Ã©'), 'ë', 'Ã«'), 'ö', 'Ã¶'), 'ü', 'Ã¼'), 'á', 'Ã¡'), 'â', 'Ã¢'), 'ñ', 'Ã±'), 'ø', 'Ã¸'),
    'ł', 'Å‚'), '''', 'â€™');
CREATE MACRO abbreviate(s) AS
    replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(s,
    'Engineering', 'Eng'), 'Services', 'Svcs'), 'Manufacturing', 'Mfg'), 'Construction', 'Constr'),
    'International', 'Intl'), 'Distribution', 'Dist'), 'Management', 'Mgmt'), 'Associates', 'Assocs'),
    'Holdings', 'Hldgs'), 'Electrical', 'Elec'), 'Solutions', 'Solns'), ' & ', ' and ');
CREATE MACRO abbreviate_street(s) AS
    replace(replace(replace(replace(replace(replace(s,
    'Road', 'Rd'), 'Street', 'St'), 'Avenue', 'Ave'), 'Lane', 'Ln'), 'Industrial Estate', 'Ind Est'),
    'Business Park', 'Bus. Pk');
CREATE MACRO written_phone(s, k, salt) AS CASE below(k, salt || ' style', 7)
    WHEN 0 THEN s
    WHEN 1 THEN s[:5] || ' ' || s[6:]
    WHEN 2 THEN s[:5] || ' ' || s[6:8] || ' ' || s[9:]
    WHEN 3 THEN '+44 ' || s[2:5] || ' ' || s[6:]
    WHEN 4 THEN '+44 (0)' || s[2:5] || ' ' || s[6:]
    WHEN 5 THEN '0044' || s[2:]
    ELSE '(' || s[:5] || ') ' || s[6:]
END;
CREATE MACRO written_vat(s, k) AS CASE below(k, 'vat style', 5)
    WHEN 0 THEN s
    WHEN 1 THEN 'GB' || s
    WHEN 2 THEN 'GB' || s
    WHEN 3 THEN 'GB ' || s[:3] || ' ' || s[4:7] || ' ' || s[8:]
    ELSE s[:3] || ' ' || s[4:7] || ' ' || s[8:]
END;
CREATE MACRO misdialled(s, k, salt) AS
    s[:len(s) - 3] || digits(k, salt || ' wrong', 3);
CREATE MACRO written_country(k) AS
    ['United Kingdom', 'United Kingdom', 'UK', 'GB', 'GB', 'England', 'Great Britain',
        'U.K.'][1 + below(k, 'country', 8)];
