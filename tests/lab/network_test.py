#!/usr/bin/env python3
"""The practice network itself: it comes up, leads nowhere, does not disturb another one, and goes without a trace."""

import json
import os
import subprocess
import sys
import unittest

import labtest
import scan
import truth
from network import HERE, Network, run


class Raised(labtest.LabTest):
    def test_every_host_is_reached_over_ipv4_and_ipv6(self):
        for host in self.network.machines():
            for address in (host.v4, host.v6):
                for port in host.open_ports()[:1]:
                    connect = f"import socket; socket.create_connection(('{address}', {port}), 20)"
                    status, _, err = scan.run(self.network, [sys.executable, "-c", connect])
                    self.assertEqual(status, 0, f"{host.name} {address} port {port}: {err}")

    def test_real_servers_answer_as_such(self):
        address = truth.BY_NAME["daemons"].v4
        banner = f"import socket; print(socket.create_connection(('{address}', 22), 20).recv(99))"
        self.assertIn("SSH-2.0-OpenSSH", scan.run(self.network, [sys.executable, "-c", banner])[1])
        page = f"from urllib.request import urlopen; print(urlopen('http://{address}/', timeout=20).headers['Server'])"
        self.assertIn("nginx", scan.run(self.network, [sys.executable, "-c", page])[1])

    def test_no_way_leads_out(self):
        """Every namespace that one of ours is joined to is ours too, and nothing is routed by default beyond them."""
        for path in self.network.namespaces():
            with self.network.inside(path.name.removeprefix(f"{self.network.name}-")):
                joined = json.loads(run(["ip", "-json", "netns", "list-id"]) or "[]")
            for peer in joined:
                self.assertTrue(peer.get("name", "").startswith(f"{self.network.name}-"), f"{path.name}: {peer}")
        for name in ("scanner", "router"):
            with self.network.inside(name):
                self.assertEqual(run(["ip", "route", "show", "default"]) + run(["ip", "-6", "route", "show", "default"]), "")

    def test_a_second_network_comes_and_goes_beside_it(self):
        before = self.network.namespaces()
        with Network(f"pt{os.getpid()}b") as other:
            self.assertTrue(other.namespaces())
        self.assertEqual(other.namespaces(), [])
        self.assertEqual(self.network.namespaces(), before)
        self.assertTrue(self.network.inhabitants())


class Paths(labtest.LabTest):
    """The paths are as slow, lossy and limited as the truth table says."""

    def answered(self, name, count):
        """How many of so many closed ports answer one SYN each."""
        options = ["-n", "-Pn", "-sS", "--max-retries=0", "--min-rate=2000", f"-p10001-{10000 + count}", "-oX", "-"]
        status, out, err = scan.run(self.network, ["nmap", *options, truth.BY_NAME[name].v4])
        self.assertEqual(status, 0, err)
        return sum(verdict.state == "closed" for verdict in scan.read_xml(out).ports.values())

    def connect_s(self, address):
        """Of a few connections the quickest: the others may have waited for the processor."""
        program = """
import socket, time
def connect_s():
    start_s = time.monotonic()
    socket.create_connection(("%s", 22)).close()
    return time.monotonic() - start_s
print(min(connect_s() for _ in range(5)))"""
        return float(scan.run(self.network, [sys.executable, "-c", program % address])[1])

    def test_slow_paths_are_as_slow_as_they_should_be(self):
        for name in ("slow", "crawl"):
            host = truth.BY_NAME[name]
            least_s = 2 * (host.path.delay_ms - host.path.jitter_ms) / 1000
            for address in (host.v4, host.v6):
                took_s = self.connect_s(address)
                self.assertGreaterEqual(took_s, least_s, name)
                self.assertLess(took_s, 2 * least_s, name)

    def test_one_in_ten_packets_is_lost_each_way(self):
        count = 2000
        expected = count * (1 - truth.BY_NAME["lossy"].loss_percent / 100) ** 2
        self.assertAlmostEqual(self.answered("lossy", count), expected, delta=0.05 * count)

    def test_resets_are_limited(self):
        self.assertLess(self.answered("limited", 2000), 1000)

    def test_an_ordinary_host_answers_all(self):
        self.assertEqual(self.answered("shut", 2000), 2000)


class TakenDown(unittest.TestCase):
    def test_down_ends_what_was_left_behind(self):
        network = Network(f"pt{os.getpid()}c")
        self.addCleanup(network.down)
        network.up()
        crashed = Network(network.name)  # knows nothing of what the other started
        crashed.down()
        crashed.down()
        self.assertEqual(network.namespaces(), [])
        self.assertFalse(network.state.exists())
        for process in network.processes:
            self.assertIsNotNone(process.wait(timeout=5))

    def test_a_program_that_is_stopped_takes_its_network_with_it(self):
        network = Network(f"pt{os.getpid()}d")
        self.addCleanup(network.down)
        program = (
            f"import labtest, time; from network import Network; network = Network('{network.name}');"
            "labtest.take_down_on_signals(network); network.up(); print('up', flush=True); time.sleep(60)"
        )
        process = subprocess.Popen([sys.executable, "-c", program], cwd=HERE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "up\n")
        self.assertTrue(network.namespaces())
        process.terminate()
        process.communicate(timeout=20)
        self.assertEqual(network.namespaces(), [])


if __name__ == "__main__":
    sys.exit(labtest.main())
