"""`make demo`: an invented province's year end."""
