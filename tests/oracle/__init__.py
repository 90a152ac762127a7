"""An independent recomputation of the figures, and worlds to judge the warehouse by."""
