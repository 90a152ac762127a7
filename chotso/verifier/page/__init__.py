"""What `verify.html` is made of: its parts, and how they become one file."""
