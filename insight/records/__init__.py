"""Source rows become conformed, normalised records, or go to quarantine."""
