#!/usr/bin/env python3
"""bad_input_test.py PROGRAM: whatever is wrong, Portolan says so in one line that names it, ends with the documented status, and
sends no packet."""

import subprocess

import stage

USAGE, DATA, NO_INPUT, UNAVAILABLE, CANNOT_CREATE, IO_ERROR, NO_PERMISSION = 64, 65, 66, 69, 73, 74, 77

# Arguments, exit status, what the line must name.
OPTIONS = [
    (["--frobnicate", "127.0.0.1"], USAGE, "'--frobnicate'"),
    (["--top-prots", "5", "127.0.0.1"], USAGE, "--top-ports"),
    (["-sQ", "127.0.0.1"], USAGE, "'-sQ'"),
    (["\u2013sS", "127.0.0.1"], USAGE, "argument 1"),
    (["127.0.0.1", "-p"], USAGE, "-p needs"),
    (["-p1", "-p2", "127.0.0.1"], USAGE, "-p is given twice"),
    (["-sV", "127.0.0.1"], USAGE, "nmap -sV"),
    (["--script", "vuln", "127.0.0.1"], USAGE, "--script"),
    (["-sS", "-sT", "127.0.0.1"], USAGE, "-sS and -sT"),
    (["-sn", "-p80", "127.0.0.1"], USAGE, "-sn"),
    (["-T9", "127.0.0.1"], USAGE, "'9'"),
    (["--max-rate", "fast", "127.0.0.1"], USAGE, "'fast'"),
    (["-sT", "--verify", "127.0.0.1"], USAGE, "--verify needs -sS"),
    (["-sU", "--verify", "127.0.0.1"], USAGE, "--verify needs -sS"),
    (["-sn", "--verify", "127.0.0.1"], USAGE, "--verify"),
    (["--confidence", "sure", "127.0.0.1"], USAGE, "'sure'"),
    (["--confidence", "100%", "127.0.0.1"], USAGE, "'100%'"),
    (["--max-retries", "-1", "127.0.0.1"], USAGE, "'-1'"),
    (["--host-timeout", "10 minutes", "127.0.0.1"], USAGE, "'10 minutes'"),
    (["--shard", "5/4", "127.0.0.1"], USAGE, "'5/4'"),
    (["--ttl", "300", "127.0.0.1"], USAGE, "'300'"),
    (["-g", "0", "127.0.0.1"], USAGE, "-g"),
    (["--data", "0xabc", "127.0.0.1"], USAGE, "'0xabc'"),
    (["--disable-arp-ping", "--backend", "packet", "127.0.0.1"], USAGE, "--backend packet"),
    (["--scanflags", "SYNFOO", "127.0.0.1"], USAGE, "'SYNFOO'"),
    (["--backend", "pigeon", "127.0.0.1"], USAGE, "pigeon"),
    (["-sT", "--backend", "packet", "127.0.0.1"], USAGE, "--backend packet"),
    (["--workers", "0", "127.0.0.1"], USAGE, "--workers"),
    (["--workers", "17", "127.0.0.1"], USAGE, "'17'"),
    (["-sT", "--workers", "2", "--store", "workers.db", "127.0.0.1-2"], USAGE, "--store"),
    (["-sI", "198.18.0.9", "-sU", "127.0.0.1"], USAGE, "an idle scan stands alone"),
    (["--find-zombie", "198.18.0.0/24", "198.18.0.2"], USAGE, "no other targets"),
    (["--find-zombie", "198.18.0.0/24", "-sS"], USAGE, "scans no ports"),
    (["--find-zombie", "198.18.0.0/24", "-PE"], USAGE, "-P options"),
    (["--find-zombie", "198.18.0.0/24", "-p", "80,81"], USAGE, "'80,81'"),
    (["--find-zombie", "198.18.0.0/44"], USAGE, "198.18.0.0/44"),
    (["-b", "198.18.0.9:ftp", "127.0.0.1"], USAGE, "'ftp'"),
    (["-b", "joe@", "127.0.0.1"], USAGE, "-b"),
    (["-b", "user\r\nQUIT@198.18.0.9", "127.0.0.1"], USAGE, "control characters"),
    (["-b", "198.18.0.9", "-sU", "127.0.0.1"], USAGE, "a bounce scan stands alone"),
    (["-b", "198.18.0.9", "-PA", "127.0.0.1"], USAGE, "-PA"),
    (["-b", "198.18.0.9", "--min-rate", "5", "127.0.0.1"], USAGE, "--min-rate"),
    (["-b", "198.18.0.9", "-g", "53", "127.0.0.1"], USAGE, "-g"),
    (["-b", "no-such-host.invalid", "127.0.0.1"], UNAVAILABLE, "no-such-host.invalid"),
    ([], USAGE, "no targets"),
]

VERBS = [
    (["resume"], USAGE, "portolan resume takes: FILE"),
    (["report", "a.db", "b.db"], USAGE, "portolan report takes: FILE"),
    (["diff", "a.db"], USAGE, "portolan diff takes: FILE FILE"),
    (["explain", "a.db"], USAGE, "portolan explain takes: FILE HOST:PORT"),
    (["doctor", "127.0.0.1"], USAGE, "portolan doctor takes: nothing more"),
    (["doctor", "-sS"], USAGE, "-s"),
    (["report", "-p80", "a.db"], USAGE, "-p"),
]

TARGETS = [
    (["198.18.0.0/33"], USAGE, "198.18.0.0/33"),
    (["198.18.0.300"], USAGE, "198.18.0.300"),
    (["198.18.0.9-1"], USAGE, "198.18.0.9-1"),
    (["fe80::1%no-such-link"], USAGE, "no-such-link"),
    (["-6", "fe80::1"], UNAVAILABLE, "may be on any link"),
    (["2001:db8::/16"], USAGE, "2001:db8::/16"),
    (["224.0.0.1"], DATA, ""),
    (["127.0.0.1", "--exclude", "127.0.0.0/8"], DATA, ""),
    (["127.0.0.1", "--exclude", "127.0.0.0/40"], USAGE, "127.0.0.0/40"),
    (["no-such-host.invalid"], DATA, "no-such-host.invalid"),
    (["127.0.0.1", "--exclude", "no-such-host.invalid"], DATA, "no-such-host.invalid"),
    (["\x1b]0;owned\x07"], None, "\\x1b]0;owned\\x07"),
]

PORTS = [
    (["-p65536", "127.0.0.1"], USAGE, "65536"),
    (["-p90-80", "127.0.0.1"], USAGE, "90-80"),
    (["-pQ:5", "127.0.0.1"], USAGE, "Q:"),
    (["-p[1-5", "127.0.0.1"], USAGE, "-p"),
    (["-pno-such-service", "127.0.0.1"], USAGE, "no-such-service"),
    (["-p22", "--exclude-ports", "22", "127.0.0.1"], USAGE, ""),
    (["-PS99999", "127.0.0.1"], USAGE, "99999"),
]

PLACES = [
    (["-e", "no-such-link", "127.0.0.1"], UNAVAILABLE, "no-such-link"),
    (["-S", "198.18.0.77", "198.18.0.2"], UNAVAILABLE, "198.18.0.77"),
    (["-S", "somewhere", "198.18.0.2"], USAGE, "somewhere"),
    (["203.0.113.9"], UNAVAILABLE, "203.0.113.9"),
    (["--source-pool", "nowhere", "127.0.0.1"], USAGE, "nowhere"),
    (["--source-pool", "198.18.0.76/30", "127.0.0.1"], UNAVAILABLE, "198.18.0.76"),
    (["--source-pool", "fe80::1%lo", "127.0.0.1"], USAGE, "fe80::1%lo"),
    (["--source-pool-foreign", "127.0.0.1"], USAGE, "--source-pool"),
    (["-sT", "--source-pool", "127.0.0.2", "127.0.0.1"], USAGE, "--source-pool"),
]

PRIVILEGE = [
    (["-sS", "127.0.0.1"], NO_PERMISSION, "setcap cap_net_raw=ep"),
    (["-sI", "198.18.0.9", "127.0.0.1"], NO_PERMISSION, "setcap cap_net_raw=ep"),
    (["--privileged", "127.0.0.1"], NO_PERMISSION, "--privileged"),
    (["--scanflags", "SYN", "127.0.0.1"], NO_PERMISSION, "--scanflags"),
    (["-PA", "127.0.0.1"], NO_PERMISSION, "-PA"),
]


class BadInput(stage.StageTest):
    def refused(self, arguments, status, named, **options):
        with self.subTest(arguments=arguments):
            before = stage.packets_sent()
            result = stage.run(*arguments, **options)
            self.assertEqual(stage.packets_sent(), before, "a packet was sent")
            if status is not None:
                self.assertEqual(result.returncode, status, result.stderr)
            self.assertNotEqual(result.returncode, 0)
            lines = result.stderr.splitlines()
            self.assertEqual(len(lines), 1, result.stderr)
            self.assertTrue(lines[0].startswith("portolan: "), lines[0])
            self.assertIn(named, lines[0])
            self.assertTrue(lines[0].isprintable() and lines[0].isascii(), lines[0])
            self.assertFalse(result.stdout, result.stdout)

    def refuse_all(self, cases, **options):
        for arguments, status, named in cases:
            self.refused(arguments, status, named, **options)

    def test_options(self):
        self.refuse_all(OPTIONS)

    def test_verbs(self):
        self.refuse_all(VERBS)

    def test_targets(self):
        self.refuse_all(TARGETS)

    def test_ports(self):
        self.refuse_all(PORTS)

    def test_interfaces_addresses_and_routes(self):
        self.refuse_all(PLACES)

    def test_privileges(self):
        self.refuse_all(PRIVILEGE, privileged=False)

    def test_files_that_are_to_be_read(self):
        missing = str(self.directory / "missing")
        folder = str(self.directory)
        garbage = self.file("127.0.0.1\n198.18.0.0/99\n", "garbage")
        binary = self.file(b"127.0.0.1\n\x00\xff\x1b[31m\n", "binary")
        services = self.file("http 80/tcp often\n", "services")
        self.refuse_all(
            [
                (["-iL", missing], NO_INPUT, missing),
                (["-iL", folder], NO_INPUT, folder),
                (["-iL", garbage], DATA, garbage + ":2"),
                (["-iL", binary], DATA, binary + ":2"),
                (["127.0.0.1", "--excludefile", missing], NO_INPUT, missing),
                (["127.0.0.1", "--excludefile", garbage], DATA, garbage + ":2"),
                (["127.0.0.1", "--servicedb", missing], NO_INPUT, missing),
                (["127.0.0.1", "--servicedb", services], DATA, services + ":1"),
            ]
        )

    def test_names_that_a_terminal_would_obey(self):
        """Whatever a file, an interface or a server is called, the line about it is printable."""
        for name in ("\x9b31m", "a\rb", "\u202eevil", "\x1b[2J\x1b[H", "line\nline", "\x7f\x08", "\udcff"):
            self.refused(["-iL", str(self.directory / name)], NO_INPUT, "")
        name = "\x1b]0;owned\x07"
        missing = str(self.directory / name / "file")
        self.refuse_all(
            [
                (["127.0.0.1", "--excludefile", missing], NO_INPUT, ""),
                (["127.0.0.1", "--servicedb", missing], NO_INPUT, ""),
                (["-sT", "127.0.0.1", "-oX", missing], CANNOT_CREATE, ""),
                (["-sT", "127.0.0.1", "-e", name], None, ""),
                (["-sT", "127.0.0.1", "-S", name], None, ""),
                (["-sT", "127.0.0.1", "--dns-servers", name], None, ""),
                (["-sT", "127.0.0.1", "-p", name], None, ""),
                (["-sT", "127.0.0.1", "--exclude", name], None, ""),
                (["report", missing], None, ""),
                (["resume", missing], None, ""),
                (["explain", missing, name], None, ""),
            ]
        )

    def test_files_that_are_to_be_written(self):
        nowhere = str(self.directory / "missing" / "file")
        file = str(self.directory / "file")
        self.refuse_all(
            [
                (["-sT", "127.0.0.1", "-oN", nowhere], CANNOT_CREATE, nowhere),
                (["-sT", "127.0.0.1", "-oX", str(self.directory)], CANNOT_CREATE, str(self.directory)),
                (["-sT", "127.0.0.1", "-oA", nowhere], CANNOT_CREATE, nowhere),
                (["-sT", "127.0.0.1", "-oN", file, "-oX", file], USAGE, file),
                (["-sT", "127.0.0.1", "-oX", "/dev/full"], IO_ERROR, "/dev/full"),
                (["-sT", "127.0.0.1", "-oN"], USAGE, "-oN"),
                (["-sT", "127.0.0.1", "--store", nowhere], CANNOT_CREATE, f"the store '{nowhere}'"),
            ]
        )

    def test_standard_output_that_is_closed_or_full(self):
        before = stage.packets_sent()
        with open("/dev/full", "w") as full:
            result = stage.run("-sT", "-n", "-p1", "127.0.0.1", stdout=full)
        self.assertEqual(result.returncode, IO_ERROR, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn("standard output", result.stderr)
        result = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *stage.command(["-sT", "-n", "-p1", "127.0.0.1"])],
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        self.assertEqual(result.returncode, IO_ERROR, result.stderr)
        self.assertEqual(stage.packets_sent(), before)


if __name__ == "__main__":
    stage.main()
