"""Workers killed at every claim, call and record, and what is left when the next ones have carried on."""
