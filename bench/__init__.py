"""Measurements that `make bench` runs; each against a floor taken in the same run."""
