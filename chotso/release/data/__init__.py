"""A release's data files: columns, canonical form, reading from a build, comparison."""
