-- One note that is to be: the company row it hangs on, and its number there.
CREATE TABLE company_note AS
SELECT seen, org, key, age, unnest(range(below(seen, 'notes', 4))) AS n
FROM organisation_row
WHERE tab = 'company' AND (NOT deleted OR merged)
ORDER BY seen, n;
