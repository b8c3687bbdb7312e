"""One measured step in a process of its own: wall time, and the peak memory of the process and of its children."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = """
import json, resource, sys, time
begun = time.perf_counter()
exec(sys.argv[1])
own, children = (resource.getrusage(w).ru_maxrss / 1024 for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({"seconds": time.perf_counter() - begun, "own_mb": own, "children_mb": children}))
"""
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of wall clock from the first import on; peak MB of the process, and of its largest child."""

    seconds: float
    own_mb: float
    children_mb: float

    @property
    def peak_mb(self) -> float:
        """The larger of the two."""
        return max(self.own_mb, self.children_mb)


def measured(code: str) -> Measured:
    """Runs code and measures it; what it prints to stderr is shown."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, code], stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True
    )
    return Measured(**json.loads(done.stdout.splitlines()[-1]))
