"""Traps of loading and validating, each met elsewhere before; one module per trap.

Each test shows the trap itself (the raw library, or a plausible loader, walks into it) and that
the product does not. Traps that have a test of their own elsewhere:

- a position that is last run time, or kept apart from the rows: `tests/faults/test_killed_nights`;
- equal timestamps at the boundary, late commits, insert-only loaders: `tests/histories`;
- rows that are landed clear and masked later: `tests/canaries`;
- an engine that lends a query's braces and colons to others: `tests/ingest/rules`.
"""
