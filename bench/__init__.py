"""Measurements of speed, memory and disk: no part of the product, and nothing in the product imports it."""
