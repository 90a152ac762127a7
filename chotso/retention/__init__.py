"""What a running installation leaves behind, and may let go of."""
