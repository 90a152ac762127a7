"""Planted faults: each is put into a copy of the tree, and its tests must notice it."""
