#!/usr/bin/env python3
"""Portolan in the practice network, against the truth."""

import contextlib
import itertools
import json
import signal
import sqlite3
import sys
import time
import unittest

import labtest
import protocols
import scan
import truth
from network import HAS_SCTP, HAS_ZOMBIE, NO_SCTP, NO_ZOMBIE, nft_table, run
from truth import BY_NAME, V4, V6

EX_UNAVAILABLE, EX_NOPERM = 69, 77
SLOW_S = 240
LIMITER_BURST = 6  # ICMP errors that Linux sends at once, before it limits them
SOME_PORTS = [22, 23, 80, 443, 1000]


class PortolanTest(labtest.LabTest):
    def portolan(self, *options, timeout_s=scan.TIMEOUT_S, status=0):
        """Runs a scan and reads its reports, which must say the same."""
        xml, jsonl = self.network.state / "report.xml", self.network.state / "report.jsonl"
        command = [scan.PORTOLAN, *options, "-oX", xml, "-oJ", jsonl]
        found_status, out, err = scan.run(self.network, command, timeout_s)
        self.assertEqual(found_status, status, f"{' '.join(map(str, command))}\n{out}\n{err}")
        from_xml, from_json = scan.read_xml(xml.read_text()), scan.read_json(jsonl.read_text())
        up = {address: found for address, found in from_json.hosts.items() if found[0] == "up"}
        self.assertEqual(from_xml.hosts, up, "XML leaves hosts that are down out")
        differing = [key for key in from_xml.ports | from_json.ports if from_xml.ports.get(key) != from_json.ports.get(key)]
        for key in differing[:10]:
            print(key, "XML:", from_xml.ports.get(key), "JSON:", from_json.ports.get(key))
        self.assertFalse(differing, "XML and JSON differ")
        return from_json

    def assert_true(self, report, technique, family, hosts, ports):
        found = list(scan.differences(report, technique, family, hosts, ports))
        self.assertFalse(found, scan.describe(found))

    def check(self, technique, family, hosts, ports, *options, timeout_s=scan.TIMEOUT_S):
        """A scan of these ports of these hosts finds the truth."""
        asked = scan.options(technique, family, hosts, ports)
        report = self.portolan(*options, *asked, timeout_s=timeout_s)
        self.assert_true(report, technique, family, hosts, ports)
        return report


class Ordinary(PortolanTest):
    """Every kind of host and port at once."""

    def test_syn_v4(self):
        report = self.check("syn", V4, labtest.ORDINARY, truth.INTERESTING, "-Pn")
        self.assertGreaterEqual(report.summary["rejected"], len(truth.FORGERIES), "forged answers are counted")

    def test_syn_v6(self):
        report = self.check("syn", V6, labtest.ORDINARY, truth.INTERESTING, "-Pn")
        self.assertGreaterEqual(report.summary["rejected"], len(truth.FORGERIES), "forged answers are counted")

    def connect(self, family):
        self.check("connect", family, labtest.ORDINARY, truth.INTERESTING, "-Pn")

    def test_connect_v4(self):
        self.connect(V4)

    def test_connect_v6(self):
        self.connect(V6)


class Udp(PortolanTest):
    """Real servers, found by the payloads of their protocols, and every kind of port beside them."""

    def udp(self, family):
        return self.check("udp", family, labtest.ORDINARY, truth.UDP_PORTS, "-Pn")

    def test_real_servers_are_found_while_the_rest_of_the_scan_goes_on(self):
        """Its ICMP errors are limited, so the scan of its closed ports takes a while."""
        host = BY_NAME["daemons"]
        tcp_ports, udp_ports = range(1, 101), sorted({*range(1, 101), *host.udp})
        for family in (V4, V6):
            with self.subTest(family=family):
                both = f"T:{scan.port_list(tcp_ports)},U:{scan.port_list(udp_ports)}"
                family_option = ["-6"] if family == V6 else []
                report = self.portolan("-sS", "-sU", "-Pn", "-n", *family_option, "-p", both, host.address(family))
                self.assert_true(report, "syn", family, [host], tcp_ports)
                self.assert_true(report, "udp", family, [host], udp_ports)
                for port in host.udp:
                    self.assertLess(report.moments[host.address(family), "udp", port], 0.5, port)

    def test_udp_v4(self):
        report = self.udp(V4)
        self.assertGreaterEqual(report.summary["rejected"], len(truth.UDP_FORGERIES), "forged answers are counted")

    def test_udp_v6(self):
        report = self.udp(V6)
        self.assertGreaterEqual(report.summary["rejected"], len(truth.UDP_FORGERIES), "forged answers are counted")


class Strays(PortolanTest):
    """Segments that belong to no connection, to every kind of stack and port at once."""

    def test_every_technique_over_both_families(self):
        for technique, family in itertools.product(truth.STRAYS, (V4, V6)):
            with self.subTest(technique=technique, family=family):
                self.check(technique, family, labtest.STACKS, truth.INTERESTING, "-Pn")

    def test_flags_of_ones_own_are_judged_as_the_technique_does(self):
        for technique, flags in [("null", "PSH"), ("ack", "PSHACK"), ("syn", "SYNPSH")]:
            with self.subTest(technique=technique, flags=flags):
                self.check(technique, V4, labtest.STACKS, truth.INTERESTING, "-Pn", "--scanflags", flags)


class Protocols(PortolanTest):
    """Which IP protocols a host speaks."""

    def check_protocols(self, host, family, refused, limit_s, asked=protocols.PROTOCOLS):
        """All are right, and it takes no longer than this."""
        began = time.monotonic()
        self.check("ip-protocol", family, [host._replace(refused=refused)], asked, "-Pn")
        self.assertLess(time.monotonic() - began, limit_s)

    def test_a_host_that_answers_all(self):
        host = BY_NAME["shut"]
        for family in (V4, V6):
            with self.subTest(family=family):
                refused = protocols.refused(self.network, host, family)
                self.assertGreater(len(refused), 200)
                self.check_protocols(host, family, refused, limit_s=2)

    def test_a_host_that_limits_its_errors(self):
        host = BY_NAME["terse"]
        refused = protocols.refused(self.network, BY_NAME["shut"], V4)  # the same kernel, without the limit
        limiter_s = (len(refused) - LIMITER_BURST) * host.icmp_interval_ms / 1000
        self.check_protocols(host, V4, refused, 1.3 * limiter_s)

    def test_a_host_that_limits_its_errors_over_ipv6(self):
        refused = protocols.refused(self.network, BY_NAME["shut"], V6)
        self.check_protocols(BY_NAME["terse"], V6, refused, scan.TIMEOUT_S, asked=range(137, 171))


class Idle(PortolanTest):
    """Through a real lwIP, whose every packet takes the next ID of one counter."""

    @unittest.skipUnless(HAS_ZOMBIE, NO_ZOMBIE)
    def test_real_stacks_near_and_far(self):
        self.check("idle", V4, [BY_NAME[name] for name in ("linux", "shut", "far")], truth.FIREWALL)

    @unittest.skipUnless(HAS_ZOMBIE, NO_ZOMBIE)
    def test_linux_is_no_zombie(self):
        """It numbers its resets 0."""
        command = [scan.PORTOLAN, "-sI", BY_NAME["shut"].v4, "-n", "-p80", BY_NAME["linux"].v4]
        status, _, err = scan.run(self.network, command)
        self.assertEqual(status, EX_UNAVAILABLE, err)
        self.assertIn("gives all its packets the ID 0", err)

    @unittest.skipUnless(HAS_ZOMBIE, NO_ZOMBIE)
    def test_the_one_that_is_fit_is_found_among_others(self):
        others = [BY_NAME[name].v4 for name in ("linux", "shut", "far", "absent", "silent")]
        normal = self.network.state / "zombies.txt"
        command = [scan.PORTOLAN, "--find-zombie", ",".join([truth.ZOMBIE, *others]), "-n", "-oJ", "-", "-oN", normal]
        status, out, err = scan.run(self.network, command)
        self.assertEqual(status, 0, err)
        report = scan.read_json(out)
        self.assertEqual([(zombie["ip"], zombie["ids"]) for zombie in report.summary["zombies"]], [(truth.ZOMBIE, "incremental")])
        self.assertEqual(report.summary["unfit"], [{"why": "gives all its packets the ID 0", "count": 3}])
        self.assertEqual(sorted(host for host, found in report.hosts.items() if found[0] == "down"), sorted(others[3:]))
        self.assertRegex(normal.read_text(), f"# {truth.ZOMBIE}  IDs incremental, 0.0 packets a second")

    @unittest.skipUnless(HAS_ZOMBIE, NO_ZOMBIE)
    def test_no_packet_of_ours_reaches_the_target(self):
        host = BY_NAME["far"]
        counting = [f"ip saddr {truth.SCANNER[0]} counter"]
        with self.network.inside(host.name):
            run(["nft", "-f", "-"], nft_table("ip", "type filter hook input priority -300", counting, "seen"))
        try:
            self.check("idle", V4, [host], list(truth.FIREWALL)[:4])
            with self.network.inside(host.name):
                self.assertIn("counter packets 0 ", run(["nft", "list", "table", "ip", "seen"]))
        finally:
            with self.network.inside(host.name):
                run(["nft", "delete", "table", "ip", "seen"])


class AskedFirst(PortolanTest):
    """Discovery before a scan through another host."""

    def check_asked_first(self, technique, as_user):
        there, gone = BY_NAME["shut"], BY_NAME["silent"]
        command = [scan.PORTOLAN, scan.TECHNIQUES[technique], "-PS80", "-n", "-p1-20", there.v4, gone.v4, "-oJ", "-"]
        command = scan.command_as_user(self.network, command) if as_user else command
        status, out, err = scan.run(self.network, command)
        self.assertEqual(status, 0, err)
        report = scan.read_json(out)
        self.assertEqual(report.hosts, {there.v4: ("up", report.hosts[there.v4][1]), gone.v4: ("down", "no-response")})
        self.assert_true(report, technique, V4, [there], range(1, 21))
        self.assertIn("-PS asks the targets from our own address", err)

    @unittest.skipUnless(HAS_ZOMBIE, NO_ZOMBIE)
    def test_an_idle_scan_leaves_out_hosts_that_are_down(self):
        self.check_asked_first("idle", as_user=False)

    def test_a_bounce_scan_leaves_out_hosts_that_are_down_and_needs_no_privilege(self):
        self.check_asked_first("bounce", as_user=True)


class Sctp(PortolanTest):
    @unittest.skipUnless(HAS_SCTP, NO_SCTP)
    def test_a_real_stack_and_a_host_without_one(self):
        for technique in truth.SCTP:
            for family in (V4, V6):
                with self.subTest(technique=technique, family=family):
                    self.check(technique, family, [BY_NAME["sctp"], BY_NAME["shut"]], truth.SCTP_PORTS, "-Pn")


class Bounce(PortolanTest):
    """Through FTP servers: Debian's, and two made by hand."""

    HOSTS = [BY_NAME[name] for name in ("linux", "mute", "shut")]

    def test_every_server_shows_every_port_or_says_that_it_does_not_want_to(self):
        """All at the same time: most of it is waiting for silent ports."""
        running, said = {}, {}
        for technique, family in [*((name, V4) for name in truth.FTP_SERVERS), ("bounce", V6), ("bounce-pyftpdlib", V6)]:
            options = scan.options(technique, family, self.HOSTS, truth.FTP_PORTS)
            running[technique, family] = scan.start(self.network, [scan.PORTOLAN, *options, "-oX", "-"])
        for (technique, family), process in running.items():
            with self.subTest(technique=technique, family=family):
                out, err = process.communicate(timeout=scan.TIMEOUT_S)
                self.assertEqual(process.returncode, 0, err)
                self.assert_true(scan.read_xml(out), technique, family, self.HOSTS, truth.FTP_PORTS)
                said[technique, family] = err
        self.assertIn("refuses to connect to ports below 1024", said["bounce-vsftpd", V4])
        self.assertIn("refuses to connect to IPv6 addresses", said["bounce-pyftpdlib", V6])
        self.assertEqual(said["bounce", V4] + said["bounce", V6], "")

    def test_a_server_that_forbids_it_is_recognised_in_seconds(self):
        began = time.monotonic()
        for address in (truth.FTP.v4, f"[{truth.FTP.v6}]"):
            via = f"-b{address}:{truth.FTP_FORBIDS.port}"
            status, _, err = scan.run(self.network, [scan.PORTOLAN, via, "-n", "-p-", BY_NAME["linux"].v4])
            self.assertEqual(status, EX_UNAVAILABLE, err)
            self.assertIn("refuses to connect to other hosts for us (it answered 500)", err)
        self.assertLess(time.monotonic() - began, 10)

    def test_no_packet_of_ours_reaches_the_target_and_no_privilege_is_needed(self):
        host = BY_NAME["shut"]
        command = [scan.PORTOLAN, f"-b{truth.FTP.v4}:2121", "-n", "-p", "1-100", host.v4, "-oX", "-"]
        with self.network.inside(host.name):
            rules = f"ip saddr {truth.SCANNER[0]} counter drop"
            run(["nft", "-f", "-"], nft_table("inet", "type filter hook input priority 0", [rules], "ours"))
        status, out, err = scan.run(self.network, scan.command_as_user(self.network, command))
        with self.network.inside(host.name):
            counted = run(["nft", "list", "table", "inet", "ours"])
            run(["nft", "delete", "table", "inet", "ours"])
        self.assertEqual(status, 0, err)
        self.assert_true(scan.read_xml(out), "bounce", V4, [host], range(1, 101))
        self.assertIn("counter packets 0", counted)


class Discovery(PortolanTest):
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

    def test_a_scan_with_discovery_is_right_too(self):
        hosts = [host for host in labtest.ORDINARY if host.is_found()]
        self.check("syn", V4, hosts, SOME_PORTS)


class HardPaths(PortolanTest):
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


class Privilege(PortolanTest):
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


class Own(PortolanTest):
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


class Backends(PortolanTest):
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

    def test_inside_the_kernel(self):
        """As fast as it must be for the transmitter to be worth it."""
        self.backend(labtest.ORDINARY, "kernel", "--min-rate", "160000")


class Workers(PortolanTest):
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


class Ends(PortolanTest):
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
