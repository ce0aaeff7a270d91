"""Which files are ours: what the checks look at."""

import os
import sys
from pathlib import Path

SKIPPED = {".git", "__pycache__"}


def files(root, *suffixes):
    """Every file below root with one of the suffixes (all without any), sorted; build directories are left out."""
    found = []
    for folder, folders, names in os.walk(root):
        top = Path(folder) == Path(root)
        folders[:] = [f for f in folders if f not in SKIPPED and not (top and f.startswith("build"))]
        names = [name for name in names if name not in SKIPPED]
        found += [Path(folder, name) for name in names if not suffixes or name.endswith(suffixes)]
    return sorted(found)


def report(faults):
    """Print one line a fault and end with the exit status that tells."""
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)
