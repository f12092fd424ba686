"""Tuning linkage to the records at hand: training, calibration, a sample to judge, and a look before promotion."""
