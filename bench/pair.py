"""Two network namespaces joined by one veth pair, with no way out: a scanner and a target. Neighbours are given, IPv6 is
off, and nothing filters, so that what is measured is the scanner and the target's stack."""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

SCANNER = "203.0.113.1"
TARGET = "203.0.113.2"
SCANNER_MAC = "02:00:00:00:00:01"
TARGET_MAC = "02:00:00:00:00:02"
CLONE_NEWNET = 0x40000000
IPV6_OFF = [Path("/proc/sys/net/ipv6/conf", which, "disable_ipv6") for which in ("all", "default")]

SIOCETHTOOL, ETHTOOL_SGRO = 0x8946, 0x2C

libc = ctypes.CDLL(None, use_errno=True)


def end_orderly_when_told():
    """SIGTERM ends the program as an exception does: what it made is removed."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


class Pair:
    def __init__(self, name):
        self.names = {host: f"pt-{name}-{os.getpid()}-{host}" for host in ("scanner", "target")}

    def __enter__(self):
        if os.geteuid() != 0:
            sys.exit("network namespaces need root")
        end_orderly_when_told()
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def up(self):
        scanner, target = self.names.values()
        for host, name in self.names.items():
            run("ip", "netns", "add", name)
            with self.inside(host):
                for setting in IPV6_OFF:
                    setting.write_text("1")
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.join()
        ends = [(scanner, SCANNER, SCANNER_MAC), (target, TARGET, TARGET_MAC)]
        for (name, address, mac), (_, other, other_mac) in zip(ends, reversed(ends)):
            run("ip", "-n", name, "link", "set", "eth0", "address", mac, "up")
            run("ip", "-n", name, "address", "add", f"{address}/30", "dev", "eth0")
            run("ip", "-n", name, "neigh", "add", other, "lladdr", other_mac, "dev", "eth0", "nud", "permanent")

    def join(self):
        """Make both ends of the link: an eth0 in either namespace."""
        scanner, target = self.names.values()
        run("ip", "-n", scanner, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", target)

    def down(self):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL, check=False)

    def route_to_target(self, network, answers=True):
        """The target answers for every address of this network, or for none."""
        run("ip", "-n", self.names["scanner"], "route", "add", network, "via", TARGET)
        kind = ["local", network, "dev", "lo"] if answers else ["blackhole", network]
        run("ip", "-n", self.names["target"], "route", "add", *kind)

    def poll_at_target(self):
        """With GRO the target's end polls, and so takes the frames of the kernel backend."""
        value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_SGRO, 1))
        request = struct.pack("16sP", b"eth0", ctypes.addressof(value))
        with self.inside("target"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as interface:
            fcntl.ioctl(interface, SIOCETHTOOL, request)

    @contextlib.contextmanager
    def inside(self, host):
        """Sockets made in this block, and processes started in it, are in the namespace."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        with open(f"/run/netns/{self.names[host]}", "rb") as file:
            if libc.setns(file.fileno(), CLONE_NEWNET):
                sys.exit(f"cannot enter {file.name}: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            if libc.setns(home, CLONE_NEWNET):
                sys.exit("cannot go back to the machine's own network namespace")
            os.close(home)
