#!/usr/bin/env python3
"""embed.py FILE NAME: the file as an array of bytes in C, on standard output."""

import sys
from pathlib import Path


def main():
    data = Path(sys.argv[1]).read_bytes()
    print(f"static const _Alignas(8) unsigned char {sys.argv[2]}[] = {{")
    for start in range(0, len(data), 24):
        print("".join(f"{byte}," for byte in data[start : start + 24]))
    print("};")


if __name__ == "__main__":
    main()
