"""The measurements of `make bench`; each is compared with a floor measured in the same run."""
