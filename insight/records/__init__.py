"""Source rows become conformed, normalised records, or go to quarantine.

`stages/records/<shape>/<version>/` holds, for each record type and fact of `orchestration/graph/model.py`,

- `record.parquet`, one record each: the columns of `model.COMMON`, the fields of the shape with their types, beside
  each field that refers to another record (`organisation_key`) the record that it names (`organisation_record`, NULL
  where none is found), and, for record types, the columns to link by that are listed below;
- `quarantine.parquet`, one row (or part of one) that could not be used: the columns of the graph's `quarantine`, and
  `source_key`;
- `note.parquet`, one value each that a record was kept without: `record_id, system, source_table, source_key, field,
  value, problem`;
- `support.parquet`, one source row each that completes a record beside the one that drives it, as the `.sql` names it
  in `supported_by`: `record_id, supporting_record`, and the row's `system, source_table, source_key`. What completes a
  row in quarantine is in it too;
- `record_print.parquet`, one record each: a number made of all its columns, which tells whether it differs.

`stages/records/alias/<version>/alias.parquet` holds the sources' own merges (`record_type, system, from_record,
to_record`; `to_record` is where a chain of them ends, `from_record` may be a record that the source no longer has),
and `stages/records/rejected/<version>/` the rows that became nothing at all (`quarantine.parquet`) and those that only
complete others (`supporting.parquet`). Beside organisations stands `merge.parquet`: the merges before it is known which
rows yield two records.

Each folder is whole or a layer over the version before (`insight/layers.py`), so that its tables are read with
`layers.rows`. Rows of `record`, `quarantine`, `note` and `support` are replaced together by `record_id`, those of
`alias` by `from_record`, those of `supporting` by the row.

Fields are normalised so that equal things are equal text: e-mail addresses in lower case, phones in E.164 (or the bare
digits of a local number that lacks its area code), VAT numbers with their country prefix and company numbers without
spaces, both only where checksum and form are right, countries as ISO codes in upper case, websites as bare host names,
times in UTC.

Columns to link by. NULL (or an empty list) where there is nothing to link by; text is ASCII in lower case.

| column | of | what it is |
|---|---|---|
| `k_name` | organisation | the name without legal form, punctuation and a leading `the`, with `&` as `and` |
| `k_name` | person | given and family name |
| `k_names` | organisation | the distinct `k_name` of name, legal name, trading name and both sides of a `t/a` in them |
| `k_given`, `k_middle`, `k_family`, `k_suffix` | person | parts of the name; suffix is `jr`, `sr`, `ii`, … |
| `k_organisation` | person | `k_name` of `organisation_name` |
| `k_email_local` | both | the e-mail address before the `@`, without a `+tag` |
| `k_email_domain` | both | its registrable domain, unless anyone can have an address there |
| `k_other_email_local`, `k_other_email_domain` | person | the same of the other address |
| `k_domain` | organisation | the registrable domain of the website, or else of the e-mail; no mail or web host's |
| `k_postcode` | both | the postcode without spaces, out of the address where it has no column |
| `k_postcode_area` | both | its first part: `sw1a` of `sw1a1aa`, `606` of `60623` |
| `k_street_number` | both | the first number of the address |
| `k_address` | both | the address with abbreviations and punctuation evened out |
| `k_city` | both | the city |
| `k_company_number` | organisation | the company number after its country: `gb:01234567` |
"""
