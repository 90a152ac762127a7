"""Files and rows as nobody should send them, and what must become of each."""
