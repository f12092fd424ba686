"""Northgate, an invented company with three real databases."""
