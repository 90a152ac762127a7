"""What became known after a release; never applied."""
