"""Tests of chotso."""
