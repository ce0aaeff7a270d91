#!/usr/bin/env python3
"""check_shell.py ROOT: shellcheck has nothing to say of any shell script (known by the first line), and each stops at
the first error. Exit 1 otherwise."""

import re
import subprocess
import sys

import tree

SHELL = re.compile(rb"^#!.*\b(ba|da)?sh\b")


def is_shell(path):
    with open(path, "rb") as file:
        return SHELL.match(file.readline(200)) is not None


def main():
    scripts = [path for path in tree.files(sys.argv[1]) if path.is_file() and is_shell(path)]
    if not scripts:
        tree.report([f"{sys.argv[1]}: no shell scripts"])
    careless = [f"{path}: no 'set -euo pipefail'" for path in scripts if "\nset -euo pipefail\n" not in path.read_text()]
    complaints = subprocess.run(["shellcheck", *scripts]).returncode
    tree.report(careless + (["shellcheck complains"] if complaints else []))


if __name__ == "__main__":
    main()
