"""Two namespaces and a veth pair without a way out, for measurements: us at 198.18.0.1, the other end at 198.18.0.2."""

import ctypes
import os
import subprocess
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def pipe():
    """The names of both namespaces, which are gone afterwards."""
    names = [f"pb{os.getpid()}-{end}" for end in ("us", "them")]
    try:
        for name in names:
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        run("ip", "-n", names[0], "link", "add", "v", "type", "veth", "peer", "name", "v", "netns", names[1])
        for number, name in enumerate(names, 1):
            run("ip", "-n", name, "address", "add", f"198.18.0.{number}/24", "dev", "v")
            run("ip", "-n", name, "link", "set", "v", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(f"ip netns pids {name} | xargs -r kill -9; ip netns del {name}", shell=True)


def enter(name):
    """This process, from now on, is in that namespace."""
    with open(f"/run/netns/{name}", "rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
