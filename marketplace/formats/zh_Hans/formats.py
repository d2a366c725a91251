"""Thousands are set apart, as in the papers and in accounts: 336,776. Django's Chinese leaves digits in one run."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
