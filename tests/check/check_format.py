#!/usr/bin/env python3
"""check_format.py ROOT: all C code is laid out as .clang-format says, comments included, which clang-format leaves as they
are: no line is longer than its ColumnLimit. Exit 1 and what is wrong otherwise."""

import pathlib
import re
import subprocess
import sys

import tree


def long_lines(root, paths):
    limit = int(re.search(r"^ColumnLimit: (\d+)", (pathlib.Path(root) / ".clang-format").read_text(), re.M)[1])
    for path in paths:
        for number, line in enumerate(pathlib.Path(path).read_text().split("\n"), 1):
            if len(line) > limit:
                yield f"{path}:{number}: {len(line)} columns; {limit} are enough"


def main():
    paths = tree.files(sys.argv[1], ".c", ".h")
    if not paths:
        tree.report([f"{sys.argv[1]}: no C files"])
    if subprocess.run(["clang-format", "--dry-run", "-Werror", *paths]).returncode:
        sys.exit(1)
    tree.report(list(long_lines(sys.argv[1], paths)))


if __name__ == "__main__":
    main()
