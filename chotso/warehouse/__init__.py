"""The warehouse's own schemas, the connection to them, and the locks that runs hold."""
