"""The benchmark room: synthetic sources of any size, and figures as ratios against a bare baseline of the same run."""
