#!/usr/bin/env python3
"""Each technique in the practice network, against the truth."""

import itertools
import sys
import time
import unittest

import labtest
import protocols
import scan
import truth
from network import HAS_SCTP, HAS_ZOMBIE, NO_SCTP, NO_ZOMBIE, nft_table, run
from truth import BY_NAME, V4, V6

EX_UNAVAILABLE = 69
LIMITER_BURST = 6  # ICMP errors that Linux sends at once, before it limits them


class Ordinary(labtest.PortolanTest):
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


class Udp(labtest.PortolanTest):
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


class Strays(labtest.PortolanTest):
    """Segments that belong to no connection, to every kind of stack and port at once."""

    def test_every_technique_over_both_families(self):
        for technique, family in itertools.product(truth.STRAYS, (V4, V6)):
            with self.subTest(technique=technique, family=family):
                self.check(technique, family, labtest.STACKS, truth.INTERESTING, "-Pn")

    def test_data_change_nothing(self):
        for technique in ("syn", "null", "fin", "ack"):
            with self.subTest(technique=technique):
                self.check(technique, V4, labtest.STACKS, truth.INTERESTING, "-Pn", "--data-length", "700")

    def test_flags_of_ones_own_are_judged_as_the_technique_does(self):
        for technique, flags in [("null", "PSH"), ("ack", "PSHACK"), ("syn", "SYNPSH")]:
            with self.subTest(technique=technique, flags=flags):
                self.check(technique, V4, labtest.STACKS, truth.INTERESTING, "-Pn", "--scanflags", flags)


class Protocols(labtest.PortolanTest):
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


class Idle(labtest.PortolanTest):
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


class AskedFirst(labtest.PortolanTest):
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


class Sctp(labtest.PortolanTest):
    @unittest.skipUnless(HAS_SCTP, NO_SCTP)
    def test_a_real_stack_and_a_host_without_one(self):
        for technique in truth.SCTP:
            for family in (V4, V6):
                with self.subTest(technique=technique, family=family):
                    self.check(technique, family, [BY_NAME["sctp"], BY_NAME["shut"]], truth.SCTP_PORTS, "-Pn")


class Bounce(labtest.PortolanTest):
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


if __name__ == "__main__":
    sys.exit(labtest.main())
