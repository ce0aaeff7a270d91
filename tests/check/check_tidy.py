#!/usr/bin/env python3
"""check_tidy.py ROOT BUILD [--quick] [FILE...]: clang-tidy has nothing to say, by the rules in .clang-tidy. Looks at the
files named, or at all of src; with --quick without its analyzer, which takes most of the time. A file that passed is not looked at again until it, a header it includes, or the rules change; what
passed is remembered under BUILD. Exit 1 and clang-tidy's words otherwise."""

import hashlib
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]*)"', re.MULTILINE)
WITHOUT_ANALYZER = ["--checks=-clang-analyzer-*"]  # it takes longest, and tests are straight lines
FOREIGN = ".bpf.c"  # for another machine and another C than the rest: the compilation database does not know them
OPTIONS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option"]


def includes(source, path):
    """The file and every header of ours that it includes, directly or not."""
    found, left = set(), [path]
    while left:
        path = left.pop()
        if path.is_file() and path not in found:
            found.add(path)
            left += [source / name for name in INCLUDE.findall(path.read_text())]
    return sorted(found)


def digest(paths):
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


def is_quick(path, quick):
    return quick or path.name.endswith("_test.c")


def examine(build, path, quick):
    """None when clang-tidy is content, else what it said."""
    checks = WITHOUT_ANALYZER if is_quick(path, quick) else []
    command = ["clang-tidy", *OPTIONS, *checks, "-p", build, path]
    run = subprocess.run(command, capture_output=True, text=True)
    return run.stdout + run.stderr if run.returncode else None


def main():
    root, build = Path(sys.argv[1]), Path(sys.argv[2])
    quick = sys.argv[3:4] == ["--quick"]
    paths = [Path(p) for p in sys.argv[4 if quick else 3 :]] or tree.files(root / "src", ".c")
    paths = [path for path in paths if not path.name.endswith(FOREIGN)]
    if not paths:
        tree.report([f"{root}: no C files"])

    passed_file = build / "tidy-passed.json"
    passed = set(json.loads(passed_file.read_text())) if passed_file.exists() else set()
    keys = {
        path: f"{is_quick(path, quick)} " + digest([root / ".clang-tidy", *includes(root / "src", path)]) for path in paths
    }
    open_paths = [path for path in paths if keys[path] not in passed]

    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(open_paths, pool.map(lambda path: examine(build, path, quick), open_paths)))
    passed |= {keys[path] for path in paths if not results.get(path)}
    passed_file.write_text(json.dumps(sorted(passed)))
    tree.report([result for result in results.values() if result])


if __name__ == "__main__":
    main()
