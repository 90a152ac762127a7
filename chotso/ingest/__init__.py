"""From source to published row versions: extract, load, validate, publish, one batch at a time."""
