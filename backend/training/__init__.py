"""Scripts that choose thresholds and make weights, reproducibly."""
