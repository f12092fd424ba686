"""Imports, fresh-interpreter loading, documentation."""
