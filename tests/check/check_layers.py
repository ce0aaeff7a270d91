#!/usr/bin/env python3
"""check_layers.py ROOT: who may include whom. The table is section 1 of the design; a test beside the code follows
the rules of its folder, and may use its own folder. Exit 1 and one line for each include outside the table."""

import re
import sys
from pathlib import Path

import tree

MAY_INCLUDE = {
    "base": set(),
    "packet": {"base"},
    "verdict": {"base"},
    "plan": {"base"},
    "technique": {"base", "packet", "verdict"},
    "netio": {"base", "packet", "verdict", "plan", "technique"},
    "engine": {"base", "packet", "verdict", "plan", "netio", "technique"},
    "results": {"base", "verdict", "plan"},
    "report": {"base", "verdict", "plan", "results"},
    "store": {"base", "verdict", "plan", "results"},
    "resolve": {"base"},
    "sandbox": {"base"},
}
EVERYTHING = {"cli"}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]*)"')


def fault(source, folder, included):
    """What is wrong with this include, or None."""
    if "/" not in included or included.startswith("."):
        return 'spell it "folder/file.h"'
    target = included.split("/")[0]
    if target not in MAY_INCLUDE and target not in EVERYTHING:
        return "no such folder"
    if not (source / included).is_file():
        return "no such file"
    if folder in EVERYTHING or target == folder or target in MAY_INCLUDE[folder]:
        return None
    return f"{folder} may not include {target}"


def main():
    source = Path(sys.argv[1], "src")
    faults = []
    for path in tree.files(source, ".c", ".h"):
        folder = path.relative_to(source).parts[0]
        if folder not in MAY_INCLUDE and folder not in EVERYTHING:
            faults.append(f"{path}: folder '{folder}' is not in the table")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            why = match and fault(source, folder, match[1])
            if why:
                faults.append(f'{path}:{number}: "{match[1]}": {why}')
    tree.report(faults)


if __name__ == "__main__":
    main()
