#!/usr/bin/env python3
"""check_globals.py BUILD: no object file of the program holds writable static data. Constant tables that only the
linker relocates (.data.rel.ro) are fine. For plain builds: sanitizers add data of their own.
Exit 1 and one line for each variable."""

import subprocess
import sys
from pathlib import Path

import tree

WRITABLE = (".data", ".bss", ".tdata", ".tbss", "*COM*")
CONSTANT = (".data.rel.ro",)


def is_writable(section):
    return section.startswith(WRITABLE) and not section.startswith(CONSTANT)


def variables(path):
    """The writable variables of an object file. A line of the symbol table is: value, seven flag characters, section,
    size, name; what has a size in a writable section is a variable, whatever its flags."""
    text = subprocess.run(["objdump", "-t", path], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        value, _, rest = line.partition(" ")
        if len(value) not in (8, 16) or len(rest[7:].split()) < 3:
            continue
        section, size, name = rest[7:].split()[:3]
        if is_writable(section) and int(size, 16) > 0:
            yield f"{path}: {name} is writable ({section}, {int(size, 16)} bytes)"


def main():
    objects = [o for o in Path(sys.argv[1], "src").rglob("*.o") if not o.parent.name.endswith("_test.p")]
    if not objects:
        tree.report([f"{sys.argv[1]}: no object files; build first"])
    tree.report([fault for path in sorted(objects) for fault in variables(path)])


if __name__ == "__main__":
    main()
