#!/usr/bin/env python3
"""bounce_peers.py: a bounce scan of 100 ports, 10 of them open, beside Nmap's in the same run: seconds, how many states are
wrong, and the ratio. The FTP server and the target are one real Linux stack in a namespace of its own."""

import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from pair import SCANNER, TARGET, Pair

ROOT = Path(__file__).resolve().parent.parent
SERVER = [sys.executable, ROOT / "tests/lab/ftpd.py", "allow", "2121"]
PORTS = range(2200, 2300)
OPEN = range(2200, 2300, 10)
ROUNDS = 3
TIMEOUT_S = 300


def states(report):
    """{port: state}, the folded ones included."""
    found = {}
    for extra in report.iter("extraports"):
        for reasons in extra.iter("extrareasons"):
            for item in reasons.get("ports").split(","):
                first, _, last = item.partition("-")
                found |= dict.fromkeys(range(int(first), int(last or first) + 1), extra.get("state"))
    return found | {int(port.get("portid")): port.find("state").get("state") for port in report.iter("port")}


def measure(pair, program):
    """(seconds, wrong states) of one scan."""
    login = f"anonymous:x@{TARGET}:2121"
    command = [program, "-b", login, "-n", "-Pn", "-p", f"{PORTS[0]}-{PORTS[-1]}", TARGET, "-oX", "-"]
    began = time.monotonic()
    with pair.inside("scanner"):
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    took_s = time.monotonic() - began
    if result.returncode:
        sys.exit(f"{program}: {result.stderr}")
    found = states(ElementTree.fromstring(result.stdout))
    return took_s, sum(found.get(port) != ("open" if port in OPEN else "closed") for port in PORTS)


def main():
    with Pair("bounce") as pair:
        with pair.inside("target"):
            listeners = [socket.create_server((TARGET, port), backlog=64) for port in OPEN]
            server = subprocess.Popen(SERVER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            server.stdout.readline()
            print(f"{len(PORTS)} ports of {TARGET} through the FTP server there, from {SCANNER}")
            for _ in range(ROUNDS):
                ours_s, ours_wrong = measure(pair, ROOT / "build/portolan")
                theirs_s, theirs_wrong = measure(pair, "nmap")
                print(f"portolan {ours_s:6.2f} s, {ours_wrong} wrong   nmap {theirs_s:6.2f} s, {theirs_wrong} wrong   "
                      f"{theirs_s / ours_s:.1f} times as fast", flush=True)  # fmt: skip
        finally:
            server.kill()
            server.wait()
            for listener in listeners:
                listener.close()


if __name__ == "__main__":
    main()
