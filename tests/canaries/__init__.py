"""Known numbers and names at the source that no byte of what the system writes may show."""
