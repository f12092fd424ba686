-- One deal that is to be: the company row it hangs on, and its number there.
CREATE TABLE company_deal AS
SELECT seen, org, key, age, coalesce(name, 'Unnamed') AS name, unnest(range(below(seen, 'deals', 5))) AS n
FROM organisation_row
WHERE tab = 'company' AND (NOT deleted OR merged)
ORDER BY seen, n;
