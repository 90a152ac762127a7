"""A bundle: data files, reports, configuration and manifest in one folder."""
