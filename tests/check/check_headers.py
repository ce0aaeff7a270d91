#!/usr/bin/env python3
"""check_headers.py ROOT CC...: every header of src compiles alone. Exit 1 and the compiler's words for each that does
not."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-"]


def main():
    source = Path(sys.argv[1], "src")
    compiler = sys.argv[2:]

    def compile_alone(path):
        text = f'#include "{path.relative_to(source)}"\n'
        run = subprocess.run([*compiler, f"-I{source}", *FLAGS], input=text, capture_output=True, text=True)
        return run.stderr if run.returncode else None

    with ThreadPoolExecutor(2) as pool:
        faults = list(pool.map(compile_alone, tree.files(source, ".h")))
    if not faults:
        faults = [f"{source}: no headers"]
    tree.report([fault for fault in faults if fault])


if __name__ == "__main__":
    main()
