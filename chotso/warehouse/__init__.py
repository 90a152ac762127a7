"""The warehouse's schemas, connections to it, and the locks that runs hold."""
