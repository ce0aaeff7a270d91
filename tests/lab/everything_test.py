"""Hosts that answer everything: a SYN proxy of nftables in front of one, a tarpit for another, and their ordinary neighbour."""

import json
import os
import socket
import struct
import subprocess
import sys
import unittest

from network import BUILD

NOT_POSSIBLE = 77
PORTS = 2000
PROXIED, TARPIT, ORDINARY = "198.18.0.2", "198.18.0.3", "198.18.0.4"
ORDINARY6, DEAF = "2001:db8::4", 30  # whoever connects to this port is not heard after the handshake
OPEN = {22, 80, 443}
BEHIND_PROXY = {25, 80}
CONFIRMED = {(ORDINARY, port) for port in OPEN} | {(PROXIED, port) for port in BEHIND_PROXY}
LISTEN = f"""
import socket, time
keep = [socket.create_server(("{ORDINARY}", port)) for port in {sorted(OPEN)}]
keep += [socket.create_server(("{PROXIED}", port)) for port in {sorted(BEHIND_PROXY)}]
keep += [socket.create_server(("{ORDINARY6}", port), family=socket.AF_INET6) for port in {sorted(OPEN | {DEAF})}]
print("ready", flush=True)
time.sleep(600)
"""
RULES = f"""
table inet t {{
    chain first {{
        type filter hook prerouting priority raw;
        ip daddr {PROXIED} tcp flags syn notrack
    }}
    chain in {{
        type filter hook input priority filter;
        ip daddr {PROXIED} ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
        ip daddr {PROXIED} ct state invalid drop
        ip6 daddr {ORDINARY6} tcp dport {DEAF} tcp flags & syn == 0 drop
        ip daddr {TARPIT} tcp flags syn drop
    }}
}}
"""


def run(*command, text=None):
    subprocess.run(command, check=True, capture_output=True, input=text, text=True)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def answer_every_syn():
    """The tarpit: a SYN/ACK with a window of ten bytes to whatever SYN comes, and nothing ever after."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    link.bind(("v", 0x0800))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    tarpit = socket.inet_aton(TARPIT)
    print("ready", flush=True)
    while True:
        packet = link.recv(128)
        if packet[9] != 6 or packet[16:20] != tarpit or packet[33] != 2:
            continue
        source, (from_port, to_port, number) = packet[12:16], struct.unpack("!HHI", packet[20:28])
        tcp = struct.pack("!HHIIBBHHH", to_port, from_port, 12345, number + 1 & 0xFFFFFFFF, 0x50, 0x12, 10, 0, 0)
        total = checksum(tarpit + source + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, tarpit, source)
        raw.sendto(ip + tcp[:16] + struct.pack("!H", total) + tcp[18:], (socket.inet_ntoa(source), 0))


class EverythingTest(unittest.TestCase):
    def serve(self, name, *command):
        process = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, *command], stdout=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"ready\n")

    def setUp(self):
        self.near, far = f"pe{os.getpid()}-near", f"pe{os.getpid()}-far"
        for name in (self.near, far):
            run("ip", "netns", "add", name)
            self.addCleanup(run, "ip", "netns", "del", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.addr_gen_mode=1", "net.ipv6.conf.default.router_solicitations=0")
        run("ip", "-n", self.near, "link", "add", "v", "type", "veth", "peer", "name", "v", "netns", far)
        run("ip", "-n", self.near, "address", "add", "198.18.0.1/24", "dev", "v")
        for address in (PROXIED, TARPIT, ORDINARY):
            run("ip", "-n", far, "address", "add", f"{address}/24", "dev", "v")
        run("ip", "-n", self.near, "address", "add", "2001:db8::1/64", "dev", "v", "nodad")
        run("ip", "-n", far, "address", "add", f"{ORDINARY6}/64", "dev", "v", "nodad")
        for name in (self.near, far):
            run("ip", "-n", name, "link", "set", "v", "up")
        run("ip", "netns", "exec", far, "nft", "-f", "-", text=RULES)  # what tracks connections may be a module, which they load
        run("ip", "netns", "exec", far, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0")
        self.serve(far, "-c", LISTEN)
        self.serve(far, __file__, "tarpit")

    def verify(self, *words):
        """The lines of the report, and what people were shown."""
        command = ["ip", "netns", "exec", self.near, BUILD / "portolan", "-sS", "--verify", "-n", "-p", "20-90,443", "-oJ", "-",
                   "-oN", "/dev/stderr", *words]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, timeout=100)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    def assert_confirmed(self, lines, truth):
        confirmed = {(line["ip"], line["port"]) for line in lines if line["type"] == "port" and line.get("confirmed")}
        self.assertEqual(confirmed, truth)

    def test_a_connection_tells_which_ports_are_real(self):
        lines, shown = self.verify(PROXIED, TARPIT, ORDINARY)
        self.assert_confirmed(lines, CONFIRMED)
        hosts = {line["ip"]: line for line in lines if line["type"] == "host"}
        for address in (PROXIED, TARPIT):
            listed = sum(line["type"] == "port" and line["ip"] == address for line in lines)
            folded = sum(group["count"] for group in hosts[address]["not_shown"])
            self.assertEqual(hosts[address].get("confidence"), "low", hosts[address])
            self.assertEqual(hosts[address]["port_count"], folded + listed)
        self.assertIn("syn-ack ttl 64, confirmed", shown)

    def test_it_tells_so_whatever_the_backend_the_workers_and_the_family(self):
        for words in (["--backend", "xdp"], ["--workers", "2"]):
            with self.subTest(words):
                self.assert_confirmed(self.verify(*words, PROXIED, ORDINARY)[0], CONFIRMED)
        with self.subTest("IPv6"):
            lines, _ = self.verify("-6", ORDINARY6)
            self.assert_confirmed(lines, {(ORDINARY6, port) for port in OPEN})
            found = {line["port"] for line in lines if line["type"] == "port" and line["state"] == "open"}
            self.assertEqual(found, OPEN | {DEAF})

    def test_all_their_ports_take_one_line(self):
        command = ["ip", "netns", "exec", self.near, BUILD / "portolan", "-sS", "-n", "-p-", "-oJ", "-", "-oN", "/dev/stderr",
                   PROXIED, TARPIT, ORDINARY]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, timeout=200)
        self.assertEqual(result.returncode, 0, result.stderr)
        hosts = {line["ip"]: line for line in map(json.loads, result.stdout.splitlines()) if line["type"] == "host"}
        for address in (PROXIED, TARPIT):
            self.assertEqual(hosts[address].get("confidence"), "low", hosts[address])
            self.assertEqual({(group["state"], group["count"]) for group in hosts[address]["not_shown"]}, {("open", 65535)})
        self.assertNotIn("confidence", hosts[ORDINARY])
        self.assertLess(len(result.stderr.splitlines()), 40, result.stderr)

    def test_they_are_flagged_and_take_one_line_and_their_neighbour_is_right(self):
        command = ["ip", "netns", "exec", self.near, BUILD / "portolan", "-sS", "-n", "-p", f"1-{PORTS}", "-oJ", "-", "-oN",
                   "/dev/stderr", PROXIED, TARPIT, ORDINARY]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, timeout=100)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        hosts = {line["ip"]: line for line in lines if line["type"] == "host"}
        for address in (PROXIED, TARPIT):
            self.assertEqual(hosts[address].get("confidence"), "low", hosts[address])
            self.assertIn("Nearly every port answers", hosts[address]["remark"])
            self.assertEqual({group["state"] for group in hosts[address]["not_shown"]}, {"open"})
        self.assertNotIn("confidence", hosts[ORDINARY])
        found = {line["port"] for line in lines if line["type"] == "port" and line["ip"] == ORDINARY and line["state"] == "open"}
        self.assertEqual(found, OPEN)
        closed = sum(group["count"] for group in hosts[ORDINARY]["not_shown"] if group["state"] == "closed")
        self.assertEqual(closed, PORTS - len(OPEN))
        self.assertEqual(result.stderr.count("Nearly every port answers"), 2, result.stderr)
        self.assertLess(len(result.stderr.splitlines()), 40, result.stderr)


def main():
    if sys.argv[1:] == ["tarpit"]:
        return answer_every_syn()
    if os.geteuid() != 0:
        print("network namespaces need root")
        return NOT_POSSIBLE
    return 0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
