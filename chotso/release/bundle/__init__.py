"""A bundle: data files, papers, configuration and manifest, and the folder that they lie in."""
