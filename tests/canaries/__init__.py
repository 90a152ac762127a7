"""Known numbers and names, put in at the source, that no byte of what the system writes may show."""
