#!/usr/bin/env python3
"""Scans in the practice network, against the truth: how hosts are found, over which ways, with which privilege, and how they end."""

import contextlib
import itertools
import json
import signal
import sqlite3
import sys
import time
import unittest

import labtest
import scan
import truth
from network import HAS_SCTP, NO_SCTP, run
from truth import BY_NAME, V4, V6

EX_UNAVAILABLE, EX_NOPERM = 69, 77
SLOW_S = 240
SOME_PORTS = [22, 23, 80, 443, 1000]


class Discovery(labtest.PortolanTest):
    def find(self, family, by_neighbor):
        addresses = [host.address(family) for host in labtest.ORDINARY]
        report = self.portolan("-sn", "-n", *(["-6"] if family == V6 else []), *addresses)
        for host in labtest.ORDINARY:
            found = report.hosts.get(host.address(family), ("down", None))
            if not host.is_found():
                self.assertEqual(found[0], "down", host.name)
            elif host.routed:
                self.assertEqual(found[0], "up", host.name)
            else:
                self.assertEqual(found, ("up", by_neighbor), host.name)

    def test_finds_hosts_over_ipv4(self):
        self.find(V4, "arp-response")

    def test_finds_hosts_over_ipv6(self):
        self.find(V6, "nd-response")

    def forget_neighbors(self):
        with self.network.inside("scanner"):
            run(["ip", "neighbour", "flush", "all"])

    def test_neighbors_that_are_asked_like_all_others_are_found_and_right(self):
        for family in (V4, V6):
            with self.subTest(family=family):
                self.forget_neighbors()
                hosts = [BY_NAME[name] for name in ("linux", "daemons", "shut", "far")]
                self.check("syn", family, hosts, SOME_PORTS, "--disable-arp-ping")

    @unittest.skipUnless(HAS_SCTP, NO_SCTP)
    def test_an_init_shows_hosts_with_sctp_and_without(self):
        addresses = {BY_NAME[name].v4: reason for name, reason in (("sctp", "init-ack"), ("linux", "proto-unreach"))}
        self.forget_neighbors()
        for port, of_sctp in ((5060, "init-ack"), (5059, "abort")):
            report = self.portolan("-sn", "-n", "--disable-arp-ping", f"-PY{port}", *addresses)
            expected = {address: ("up", of_sctp if reason == "init-ack" else reason) for address, reason in addresses.items()}
            self.assertEqual(report.hosts, expected)

    def test_a_scan_with_discovery_is_right_too(self):
        hosts = [host for host in labtest.ORDINARY if host.is_found()]
        self.check("syn", V4, hosts, SOME_PORTS)


class HardPaths(labtest.PortolanTest):
    def test_a_host_that_answers_after_1300_ms_is_still_right(self):
        """The scans run at the same time: most of it is waiting."""
        host = BY_NAME["crawl"]
        scans = {}
        for technique, family in itertools.product(("syn", "connect"), (V4, V6)):
            options = scan.options(technique, family, [host], SOME_PORTS)
            scans[technique, family] = scan.start(self.network, [scan.PORTOLAN, "-Pn", *options, "-oX", "-"])
        for (technique, family), process in scans.items():
            with self.subTest(technique=technique, family=family):
                out, err = process.communicate(timeout=scan.TIMEOUT_S)
                self.assertEqual(process.returncode, 0, err)
                self.assert_true(scan.read_xml(out), technique, family, [host], SOME_PORTS)

    def explain(self, store, host, port):
        status, out, err = scan.run(self.network, [scan.PORTOLAN, "explain", store, f"{host.v4}:{port}"])
        self.assertEqual(status, 0, err)
        return out

    def test_ten_percent_loss_each_way(self):
        host, store = BY_NAME["lossy"], self.network.state / "lossy.store"
        options = ["-Pn", "--max-retries", "12", "--store", store]
        self.check("syn", V4, [host], range(1, 2001), *options, timeout_s=SLOW_S)
        asked_again = "SELECT port, tries FROM port WHERE state = 'open' AND tries > 1"
        with contextlib.closing(sqlite3.connect(store)) as rows:
            port, tries = rows.execute(asked_again).fetchone()
        self.assertIn(f"the tries before it, 1 to {tries - 1}, decided nothing\nanswered to try {tries} at ",
                      self.explain(store, host, port))

    def test_a_host_that_limits_its_resets(self):
        host, ports = BY_NAME["limited"], range(10001, 12001)
        store = self.network.state / "limited.store"
        began = time.monotonic()
        self.check("syn", V4, [host], ports, "-Pn", "--store", store)
        self.assertLess(time.monotonic() - began, 1.3 * len(ports) / host.reset_limit)
        self.assertIn("it limits its resets; from here on it was asked at its pace", self.explain(store, host, 10001))

    def test_all_ports_of_one_host(self):
        for family in (V4, V6):
            with self.subTest(family=family):
                self.check("syn", family, [BY_NAME["wide"]], range(1, 65536), "-Pn", timeout_s=SLOW_S)

    def test_all_ports_of_one_host_by_connecting(self):
        self.check("connect", V4, [BY_NAME["wide"]], range(1, 65536), "-Pn", timeout_s=SLOW_S)

    def test_a_whole_network_behind_one_host(self):
        host = BY_NAME["range"]
        ports = range(30001, 30011)
        report = self.portolan("-sS", "-Pn", "-n", "-p", scan.port_list(ports), "198.19.4.0/22", timeout_s=SLOW_S)
        addresses = [f"198.19.{third}.{last}" for third in range(4, 8) for last in range(256)]
        self.assertEqual(set(report.hosts), set(addresses))
        for address in addresses:
            self.assert_true(report, "syn", V4, [host._replace(v4=address)], ports)


class Privilege(labtest.PortolanTest):
    def as_user(self, capabilities, *options):
        command = scan.command_as_user(self.network, [scan.PORTOLAN, *options, "-oX", "-"], capabilities)
        return scan.run(self.network, command)

    def test_an_ordinary_user_scans_udp_with_the_same_result(self):
        present = [host for host in labtest.ORDINARY if host.kind != "absent"]  # the kernel looks for a neighbour for 3 s
        for family in (V4, V6):
            with self.subTest(family=family):
                options = scan.options("udp", family, present, truth.UDP_PORTS)
                status, out, err = self.as_user([], "-Pn", *options)
                self.assertEqual(status, 0, err)
                self.assert_true(scan.read_xml(out), "udp", family, present, truth.UDP_PORTS)

    def ordinary(self, capabilities, technique, hosts, options_of=lambda options: options):
        """The same hosts and ports, and the same table, as of the full runs of Ordinary."""
        for family in (V4, V6):
            with self.subTest(family=family):
                asked = options_of(scan.options(technique, family, hosts, truth.INTERESTING))
                status, out, err = self.as_user(capabilities, "-Pn", *asked)
                self.assertEqual(status, 0, err)
                self.assert_true(scan.read_xml(out), technique, family, hosts, truth.INTERESTING)

    def test_an_ordinary_user_connects(self):
        self.ordinary([], "connect", labtest.ORDINARY, lambda options: options[1:])  # without -sT: it is the default

    def test_an_ordinary_user_finds_hosts_by_udp(self):
        for family in (V4, V6):
            with self.subTest(family=family):
                host, mute = BY_NAME["shut"], BY_NAME["mute"]
                addresses = [host.address(family), mute.address(family)]
                status, out, err = self.as_user([], "-sn", "-n", "-PU", *(["-6"] if family == V6 else []), *addresses)
                self.assertEqual(status, 0, err)
                self.assertEqual(scan.read_xml(out).hosts, {host.address(family): ("up", "port-unreach")})

    def test_a_raw_technique_without_privilege_says_what_is_missing(self):
        status, _, err = self.as_user([], "-sS", "-p80", BY_NAME["linux"].v4)
        self.assertEqual(status, EX_NOPERM)
        self.assertIn("cap_net_raw", err.lower())
        self.assertEqual(len(err.strip().splitlines()), 1, err)

    def test_one_capability_is_enough(self):
        self.ordinary(["net_raw"], "syn", labtest.ORDINARY)


class Own(labtest.PortolanTest):
    """The scanner's own addresses, which answer over the loopback link whatever link has them."""

    def link_local(self):
        with self.network.inside("scanner"):
            shown = json.loads(run(["ip", "-json", "-6", "address", "show", "scope", "link", "dev", "eth0"]))
        return next(f"{found['local']}%eth0" for link in shown for found in link.get("addr_info", []) if "local" in found)

    def test_every_technique_finds_them_closed(self):
        closed = {"-sS": "closed", "-sT": "closed", "-sU": "closed", "-sA": "unfiltered", "-sN": "closed"}
        for address in (*truth.SCANNER, "127.0.0.1", "::1", self.link_local()):
            for option, state in closed.items():
                with self.subTest(address=address, option=option):
                    family = ["-6"] if ":" in address else []
                    report = self.portolan(*family, option, "-Pn", "-n", "-p", "79-81", address)
                    self.assertEqual({verdict.state for verdict in report.ports.values()}, {state})
                    self.assertEqual(len(report.ports), 3)


class Backends(labtest.PortolanTest):
    """Whatever the packets go through, the table is the same. The other tests take what is chosen by itself: packet sockets."""

    def backend(self, hosts, *options):
        for family in (V4, V6):
            with self.subTest(family=family):
                self.check("syn", family, hosts, truth.INTERESTING, "-Pn", "--backend", *options)

    def test_raw_sockets(self):
        """The kernel looks for neighbours, and does not tell who has none."""
        self.backend([host for host in labtest.ORDINARY if host.kind != "absent"], "raw")

    def test_af_xdp(self):
        self.backend(labtest.ORDINARY, "xdp")

    def test_af_xdp_in_one_scan_after_the_other(self):
        """The kernel counts the memory of a socket for a while after it was closed."""
        for _ in range(12):
            self.check("syn", V4, labtest.ORDINARY[:1], [80], "-Pn", "--backend", "xdp")

    def test_inside_the_kernel(self):
        """As fast as it must be for the transmitter to be worth it."""
        self.backend(labtest.ORDINARY, "kernel", "--min-rate", "160000")


class Resumed(labtest.PortolanTest):
    """A scan that was killed finds the truth when it goes on, whatever the kernel has forgotten of the neighbours meanwhile."""

    def is_at_work(self, store, family):
        """Were hosts on the link being scanned when the store was last written?"""
        neighbors = {host.address(family) for host in labtest.ORDINARY if not host.routed}
        try:
            with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
                scanned = {row[0] for row in database.execute("SELECT address FROM host WHERE progress = 'scanning'")}
        except sqlite3.Error:
            return False  # it is not there yet
        return bool(neighbors & scanned)

    def kill_and_resume(self, technique, family, *options):
        store = self.network.state / "killed.store"
        for path in self.network.state.glob("killed.store*"):
            path.unlink()
        asked = scan.options(technique, family, labtest.ORDINARY, truth.INTERESTING)
        command = [scan.PORTOLAN, "--store", store, "-Pn", "--max-rate", "100", *options, *asked]
        process = scan.start(self.network, command)
        end = time.monotonic() + scan.TIMEOUT_S
        while not self.is_at_work(store, family) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        process.kill()
        _, err = process.communicate()
        self.assertEqual(process.returncode, -signal.SIGKILL, err)
        self.assertTrue(self.is_at_work(store, family))
        scan.run(self.network, ["ip", "neigh", "flush", "all"])
        report = self.portolan("resume", store, "--max-rate", "200000")
        self.assert_true(report, technique, family, labtest.ORDINARY, truth.INTERESTING)

    def test_over_both_families(self):
        for technique, family in itertools.product(("syn", "fin"), (V4, V6)):
            with self.subTest(technique=technique, family=family):
                self.kill_and_resume(technique, family)

    def test_with_every_backend_that_it_may_have_named(self):
        for backend in ("xdp", "kernel"):
            with self.subTest(backend=backend):
                self.kill_and_resume("syn", V4, "--backend", backend)


class Workers(labtest.PortolanTest):
    """Several packet processes, each with a share of the hosts: the same table."""

    def test_every_kind_of_host_and_port(self):
        for family in (V4, V6):
            with self.subTest(family=family):
                report = self.check("syn", family, labtest.ORDINARY, truth.INTERESTING, "-Pn", "--workers", "3")
                self.assertGreaterEqual(report.summary["rejected"], len(truth.FORGERIES), "forged answers are counted")

    def test_by_connecting(self):
        present = [host for host in labtest.ORDINARY if host.kind != "absent"]  # the kernel looks for a neighbour for 3 s
        self.check("connect", V4, present, truth.INTERESTING, "-Pn", "--workers", "3")

    def test_what_is_counted_is_the_sum(self):
        host, ports = BY_NAME["range"], range(30001, 30011)
        report = self.portolan("-sS", "-Pn", "-n", "-p", scan.port_list(ports), "--workers", "2", "198.19.4.0/24")
        self.assertEqual(len(report.hosts), 256)
        for address in report.hosts:
            self.assert_true(report, "syn", V4, [host._replace(v4=address)], ports)
        self.assertGreaterEqual(report.summary["probes_sent"], 256 * len(ports))
        self.assertGreaterEqual(report.summary["answers"], 256 * len(ports))


class Ends(labtest.PortolanTest):
    def test_no_route_is_said_so(self):
        status, _, err = scan.run(self.network, [scan.PORTOLAN, "-sS", "-Pn", "-n", "-p80", truth.UNREACHABLE_V4])
        self.assertEqual(status, EX_UNAVAILABLE, err)
        self.assertIn(truth.UNREACHABLE_V4, err)

    def interrupt(self, number):
        xml, jsonl = self.network.state / "cut.xml", self.network.state / "cut.jsonl"
        command = [scan.PORTOLAN, "-sS", "-Pn", "-n", "-p-", BY_NAME["mute"].v4, BY_NAME["linux"].v4]
        process = scan.start(self.network, [*command, "-oX", xml, "-oJ", jsonl])
        time.sleep(1)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + number, err)
        self.assertIn("interrupted", xml.read_text())
        scan.read_xml(xml.read_text())
        self.assertIn("interrupted", scan.read_json(jsonl.read_text()).summary["error"])

    def test_ctrl_c_leaves_whole_files(self):
        self.interrupt(signal.SIGINT)

    def test_a_termination_leaves_whole_files(self):
        self.interrupt(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(labtest.main())
