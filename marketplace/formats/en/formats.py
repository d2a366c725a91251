"""Hours are counted to 24, as in the papers and in Chinese; and a sentence may end with “16:10.”, not with “p.m..”."""

DATETIME_FORMAT = "N j, Y, H:i"
TIME_FORMAT = "H:i"
