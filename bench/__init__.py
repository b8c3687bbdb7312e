"""Benchmarks: synthetic catalogues of any size, and figures as ratios against a bare baseline in the same run."""
