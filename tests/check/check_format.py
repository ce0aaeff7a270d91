#!/usr/bin/env python3
"""check_format.py ROOT: all C code is laid out as .clang-format says. Exit 1 and clang-format's words otherwise."""

import subprocess
import sys

import tree


def main():
    paths = tree.files(sys.argv[1], ".c", ".h")
    if not paths:
        tree.report([f"{sys.argv[1]}: no C files"])
    sys.exit(subprocess.run(["clang-format", "--dry-run", "-Werror", *paths]).returncode)


if __name__ == "__main__":
    main()
