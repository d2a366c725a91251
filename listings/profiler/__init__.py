"""What one file really holds: read, counted and described by a disposable process that knows nothing of the exchange.

`listings.isolation` starts it. Inside its jail this package is importable as `profiler` (hence the relative imports);
it uses the standard library, duckdb, pyarrow, python-calamine and charset-normalizer, never Django, never the network.
A file is only ever read as data: nothing of it is executed, imported or unpickled.
"""
