"""What anyone runs without us: the bundle's rules and two verifiers. It imports nothing of ours."""
