#!/usr/bin/env python3
"""check_words.py ROOT: nothing in the repository names one particular machine, or ships what is not ours to ship.
Exit 1 and one line for each place."""

import re
import sys

import tree

FORBIDDEN = [
    (re.compile(rb"(?<![\w.~-])/(work|home|root)/\w"), "the path of one machine"),
    (re.compile(rb"\b(TO" rb"DO|FIX" rb"ME|XX" rb"X)\b"), "an unfinished thing"),
]
NOT_OURS = {"nmap-services", "nmap-payloads", "nmap-protocols", "nmap-os-db", "nmap-service-probes", "nmap-mac-prefixes"}


def faults(root):
    for path in tree.files(root):
        if path.name in NOT_OURS:
            yield f"{path}: a data file of Nmap's"
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            for pattern, what in FORBIDDEN:
                if pattern.search(line):
                    yield f"{path}:{number}: {what}"


def main():
    tree.report(list(faults(sys.argv[1])))


if __name__ == "__main__":
    main()
