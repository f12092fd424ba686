"""The hash chain, its bond with Dagster's event log, and the walk from an effect to source rows."""
