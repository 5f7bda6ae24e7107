"""A scorecard of faults: what hostile peers and helpers cost the others, in figures."""
