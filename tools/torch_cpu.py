"""Installs torch as a CPU build where one can be had: an open range would bring several GB of CUDA on Linux.

    python tools/torch_cpu.py

Kept where one is there already. Otherwise the tested version is looked up without installing it; if it would bring
CUDA packages, PyTorch's own index of CPU builds is used instead.
"""

import importlib.metadata
import json
import subprocess
import sys

LOWEST, BELOW, TESTED = (2, 6), (2, 14), "2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def installed() -> bool:
    """Whether a torch within the bounds of pyproject.toml is there."""
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return False
    return LOWEST <= tuple(int(part) for part in version.split("+")[0].split(".")[:2]) < BELOW


def pip(*arguments: str) -> bool:
    """Runs pip; True where it succeeded."""
    return subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *arguments]).returncode == 0


def brings_cuda() -> bool:
    """Whether the tested version, from the index that pip is set up with, depends on CUDA packages."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--report",
        "-",
        f"torch=={TESTED}",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        wanted = json.loads(done.stdout)["install"]
    except (ValueError, KeyError):
        return True
    return any(item["metadata"]["name"].lower().startswith(("nvidia", "cuda", "triton")) for item in wanted)


def main() -> int:
    """0 where a torch is there in the end."""
    if installed():
        return 0
    print("Installing torch (CPU build) …", flush=True)
    if sys.platform == "linux" and brings_cuda():
        # A short wait: behind many firewalls this index is simply not there, and a CUDA build still works.
        if pip("--index-url", CPU_INDEX, "--timeout", "5", "--retries", "1", f"torch=={TESTED}"):
            return 0
    return 0 if pip(f"torch=={TESTED}") else 1


if __name__ == "__main__":
    raise SystemExit(main())
