"""`make demo`: the year end of an invented province."""
