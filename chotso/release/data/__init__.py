"""A release's data files: their columns, their canonical form, read from a build and compared."""
