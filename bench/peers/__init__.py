"""Others' ways with the same rows, in an environment of their own; they import nothing of ours."""
