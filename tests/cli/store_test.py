#!/usr/bin/env python3
"""store_test.py PROGRAM IO_FAULT: a scan that keeps a store can be killed, stopped, starved of disk and resumed, and ends with
the same result."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import stage
import stored

HOSTS, PORTS = 16, 200
SOUNDINGS = 16 * HOSTS  # probes beside those of the plan, at most: for round trips and limiters
SLOW = ["-n", "-sS", "-p", f"1-{PORTS}", "--max-rate", "2000", "127.0.0.0/28"]  # 1.6 seconds
QUICK = ["-n", "-sS", "-p", "1-50", "127.0.0.0/28"]
DROP_PORT_5 = """table inet pt {
    chain in {
        type filter hook input priority filter
        tcp dport 5 drop
    }
}
"""
SAMPLE = [1, 3, 7, 16, 35, 60, 90, 120]
FAULTS = ""


TIMES = re.compile(
    r"\d\d:\d\d(:\d\d)?|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d|\d+\.\d+( ?s\b| seconds)|\d{4}-\d\d-\d\d"
    r'|"(time|start|end|rtt|srtt|rttvar|rto|elapsed)[a-z_]*": ?[^,}]+'
)


def without_times(text):
    """The lines, in an order of their own: hosts are complete in any."""
    return sorted(TIMES.sub("", line) for line in text.splitlines())


class Store(stage.StageTest):
    def setUp(self):
        super().setUp()
        self.store = str(self.directory / "store")
        self.port = self.listen("0.0.0.0")

    def scan(self, *options, arguments=(), store=None, environment=None, **more):
        words = [*options, "--store", store or self.store, *(arguments or SLOW)]
        return stage.run(*words, env={**os.environ, **(environment or {})}, **more)

    def resume(self, *options, store=None):
        """The packet process of a killed scan may hold the file for some moments."""
        for _ in range(50):
            result = stage.run("resume", store or self.store, "--max-rate", "20000", *options)
            if "in use" not in result.stderr:
                break
            time.sleep(0.1)
        return result

    def assert_whole(self, store=None, hosts=HOSTS, ports=PORTS):
        """Nothing of the stage is open among these ports: all are closed, each of them once."""
        found = stored.ports(store or self.store)
        self.assertEqual(len(found), hosts * ports)
        self.assertEqual(set(found.values()), {("closed", "reset")})
        self.assertEqual(stored.progress(store or self.store), {"done": hosts})
        self.assertEqual(stored.state(store or self.store), "complete")

    def begun(self, **more):
        """A scan that has stored some hosts, and has far to go."""
        words = stage.command(["--store", self.store, *SLOW])
        words[words.index("--max-rate") + 1] = "800"
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, **more)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                if stored.progress(self.store):
                    break
            except sqlite3.Error:
                pass
            time.sleep(0.05)
        return process

    def killed(self):
        process = self.begun()
        process.kill()
        process.wait()
        self.assertEqual(stored.state(self.store), "running")

    def test_the_store_holds_what_the_report_says(self):
        report = str(self.directory / "report")
        words = ["-n", "-sS", "-p", f"1-50,{self.port}", "127.0.0.0/28"]
        self.assertEqual(self.scan("-oJ", report, arguments=words).returncode, 0)
        self.assertEqual(stored.ports(self.store), stored.reported(report))
        self.assertIn(("open", "syn-ack"), stored.ports(self.store).values())

    def test_it_says_what_was_covered_and_what_was_left_out(self):
        words = ["-n", "-sS", "-p", "1-50", "--exclude", "127.0.0.4/30", "127.0.0.0/28", "224.0.0.0/30", "0.0.0.0/31"]
        self.assertEqual(self.scan(arguments=words).returncode, 0)
        covered = dict(stored.rows(self.store, "SELECT what, count FROM coverage"))
        expected = {
            "hosts planned": 12,
            "addresses excluded": 4,
            "names unresolved": 0,
            "ports asked of each host": 50,
            "special: multicast": 4,
            "special: this network": 2,
        }
        self.assertEqual({what: covered[what] for what in expected}, expected)
        ((sent, answers, drops),) = stored.rows(self.store, "SELECT probes_sent, answers, drops FROM scan")
        self.assertGreaterEqual(sent, 12 * 50)
        self.assertGreaterEqual(answers, 12 * 50)
        self.assertEqual(drops, 0)

    def test_it_says_when_the_scan_stopped_and_went_on(self):
        process = self.begun(stderr=subprocess.DEVNULL)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        self.assertEqual(self.resume().returncode, 0)
        told = [what for (what,) in stored.rows(self.store, "SELECT what FROM event ORDER BY id")]
        told = [what for what in told if what in ("started", "stopped", "resumed", "complete")]
        self.assertEqual(told, ["started", "stopped", "resumed", "complete"])

    def test_a_killed_scan_goes_on(self):
        self.killed()
        before = len(stored.ports(self.store))
        self.assertGreater(before, 0)
        report = str(self.directory / "report")
        result = self.resume("-oJ", report)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assert_whole()
        self.assertEqual(stored.ports(self.store), stored.reported(report))

    def test_what_the_store_of_a_killed_scan_holds_is_not_asked_again(self):
        self.killed()
        known = len(stored.ports(self.store))
        before = stored.rows(self.store, "SELECT probes_sent FROM scan")[0][0]
        self.assertEqual(self.resume().returncode, 0)
        again = stored.rows(self.store, "SELECT probes_sent FROM scan")[0][0] - before
        self.assertGreater(known, 0)
        self.assertLessEqual(again, HOSTS * PORTS - known + SOUNDINGS)
        self.assert_whole()

    def test_a_stopped_scan_says_so_and_goes_on(self):
        process = self.begun(stderr=subprocess.PIPE, text=True)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 75)
        self.assertIn("portolan resume", err)
        self.assertEqual(stored.state(self.store), "stopped")
        self.assertEqual(self.resume().returncode, 0)
        self.assert_whole()

    def test_a_complete_scan_has_nothing_left_to_do(self):
        self.assertEqual(self.scan(arguments=QUICK).returncode, 0)
        sent = stored.rows(self.store, "SELECT probes_sent FROM scan")
        self.assertEqual(self.resume().returncode, 0)
        self.assertEqual(stored.rows(self.store, "SELECT probes_sent FROM scan"), sent)
        self.assert_whole(ports=50)

    def test_what_is_excluded_later_is_not_asked(self):
        self.killed()
        result = self.resume("--exclude", "127.0.0.4/31")
        self.assertEqual(result.returncode, 0)
        unfinished = stored.rows(self.store, "SELECT address FROM host WHERE progress != 'done' ORDER BY address")
        self.assertEqual(unfinished, [("127.0.0.4",), ("127.0.0.5",)])

    def test_the_plan_cannot_be_changed(self):
        self.killed()
        result = self.resume("-p", "80")
        self.assertEqual(result.returncode, 64)
        self.assertIn("-p cannot be given", result.stderr)
        result = stage.run("resume", self.store, privileged=False)
        self.assertEqual(result.returncode, 77)
        result = self.scan(arguments=QUICK)
        self.assertEqual(result.returncode, 73)
        self.assertIn("exists", result.stderr)

    def test_a_file_in_use_is_left_alone(self):
        process = self.begun(stderr=subprocess.DEVNULL)
        result = stage.run("resume", self.store)
        self.assertEqual(result.returncode, 73)
        self.assertIn("in use", result.stderr)
        self.assertEqual(process.wait(timeout=60), 0)
        self.assert_whole()

    def test_no_store_can_be_made_where_nothing_can_be_written(self):
        result = self.scan(arguments=QUICK, store=str(self.directory / "missing" / "store"))
        self.assertEqual(result.returncode, 73)
        sent = stage.packets_sent()
        self.assertEqual(self.scan(arguments=QUICK, store="/dev/full").returncode, 73)
        self.assertEqual(stage.packets_sent(), sent)

    def test_a_full_disk_stops_the_scan_until_there_is_room(self):
        result = self.scan(environment={"LD_PRELOAD": FAULTS, "IO_FAULT": "28:80+"})
        self.assertEqual(result.returncode, 75)
        self.assertIn("disk is full", result.stderr)
        self.assertEqual(self.resume().returncode, 0)
        self.assert_whole()

    def test_a_sync_that_fails_ends_the_scan_and_is_not_tried_again(self):
        result = self.scan(environment={"LD_PRELOAD": FAULTS, "IO_FAULT": "5:80"})
        self.assertEqual(result.returncode, 74)
        self.assertEqual(self.resume().returncode, 0)
        self.assert_whole()

    def test_whichever_sync_fails_ends_it(self):
        for call in range(1, 40):
            fault = {"LD_PRELOAD": FAULTS, "IO_FAULT": f"5:{call}", "IO_FAULT_CALLS": "sync"}
            result = self.scan(store=f"{self.store}-{call}", arguments=QUICK, environment=fault)
            if result.returncode == 0:
                break  # there was none to fail
            self.assertEqual(result.returncode, 74, result.stderr)
            self.assertIn("cannot be written", result.stderr)
        self.assertEqual(result.returncode, 0)
        self.assertGreater(call, 3)

    def test_a_sync_that_takes_seconds_delays_neither_the_scan_nor_what_it_tells(self):
        """Everything was found and told before anything was stored."""
        words = stage.command(["--store", self.store, *SLOW, "-oJ", "-"])
        environment = {**os.environ, "LD_PRELOAD": FAULTS, "IO_SLOW": "5"}
        process = subprocess.Popen(words, stdout=subprocess.PIPE, env=environment, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        hosts = 0
        while hosts < HOSTS:
            hosts += json.loads(process.stdout.readline())["type"] == "host"
        self.assertEqual(stored.progress(self.store), {})
        process.stdout.read()
        self.assertEqual(process.wait(timeout=60), 0)
        self.assert_whole()
        self.assertEqual(stored.rows(self.store, "SELECT drops FROM scan"), [(0,)])
        self.assertLessEqual(stored.rows(self.store, "SELECT probes_sent FROM scan")[0][0], HOSTS * PORTS + SOUNDINGS)

    def test_whichever_read_fails_is_told_for_what_it_is(self):
        """And not for a store that is damaged, or of somebody else."""
        self.assertEqual(self.scan(arguments=QUICK).returncode, 0)
        whole = Path(self.store).read_bytes()
        for words, status in ((["report", self.store], 0), (["resume", self.store], 0), (["--store", self.store, *QUICK], 73)):
            with self.subTest(words=words[0]):
                for call in [*range(1, 9), *range(9, 100, 4)]:
                    Path(self.store).write_bytes(whole)
                    fault = {"LD_PRELOAD": FAULTS, "IO_FAULT": f"5:{call}", "IO_FAULT_CALLS": "read"}
                    result = stage.run(*words, env={**os.environ, **fault})
                    if result.returncode == status:
                        break  # there was none to fail
                    self.assertEqual(result.returncode, 74, result.stderr)
                    self.assertRegex(result.stderr, "cannot be (read|written): ")
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertGreater(call, 3)

    def pair(self):
        """Two scans of one host; in the second, one port is open instead of another, and one is not asked any more."""
        stores = [str(self.directory / name) for name in ("before", "after")]
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        ports = [listener.getsockname()[1] for listener in listeners]
        listeners[1].close()
        self.scan(store=stores[0], arguments=["-n", "-sS", "-p", f"1-3,{ports[0]},{ports[1]}", "127.0.0.1"])
        listeners[0].close()
        again = socket.create_server(("127.0.0.1", ports[1]))
        self.addCleanup(again.close)
        self.scan(store=stores[1], arguments=["-n", "-sS", "-p", f"1-2,{ports[0]},{ports[1]}", "127.0.0.1"])
        return stores, ports

    def test_diff_tells_what_changed_and_what_was_not_covered(self):
        (before, after), (closed, opened) = self.pair()
        result = stage.run("diff", "--json", before, after)
        self.assertEqual(result.returncode, 1)
        changes = {(c["change"], c["first"], c["last"]) for c in map(json.loads, result.stdout.splitlines())}
        expected = {("closed", closed, closed), ("opened", opened, opened), ("no longer covered", 3, 3)}
        self.assertEqual(changes, expected)
        self.assertEqual(stage.run("diff", before, before).returncode, 0)
        result = stage.run("diff", before, str(self.directory / "missing"))
        self.assertEqual((result.returncode, result.stdout), (2, ""))

    def test_explain_tells_why(self):
        (store, _), (port, _) = self.pair()
        result = stage.run("explain", store, f"127.0.0.1:{port}")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("state: open\nanswered to try 1", result.stdout)
        self.assertIn("syn-ack", result.stdout)
        self.assertIn("not among the targets", stage.run("explain", store, "127.0.0.2:1").stdout)
        self.assertIn("was not asked", stage.run("explain", store, "127.0.0.1:9").stdout)
        self.assertEqual(stage.run("explain", store, "127.0.0.1").returncode, 64)

    def test_explain_tells_what_happened_to_the_host_meanwhile(self):
        (store, _), (port, _) = self.pair()
        ((start, end),) = stored.rows(store, "SELECT start_ns, end_ns FROM host")
        told = [
            ("rate", "127.0.0.1", 100, 50, "the rate went from 100 to 50 packets a second, of the way from 127.0.0.1"),
            ("ring drops", None, 3, 4, "our own receive ring lost 3 packets; 4 probes were sent again"),
            ("send errors", None, 105, 7, "the kernel refused 7 probes (No buffer space available); they were sent again"),
            ("local ports", None, 9, 0, "local ports ran out 9 times; connections waited for one"),
            ("way gone", None, 0, 0, "the way to the targets was gone (link, route or address); the scan waited"),
            ("way back", None, 5, 1500, "the way was back after 1.5 seconds; 5 probes were sent again"),
            ("new source", None, 6, 0, "our own address changed; 6 probes were sent again"),
            ("rerouted", None, 8, 0, "the route changed; 8 probes were sent again"),
            ("swallowed", None, 2, 0, "the backend's faster way led nowhere and was left; 2 probes were sent again"),
            ("path silent", "127.0.0.1", 700, 0, "nothing on the way had answered for 0.7 seconds, of the way from 127.0.0.1"),
            ("path answers", "127.0.0.1", 900, 0, "it answered again, after 0.9 seconds, of the way from 127.0.0.1"),
            ("path split", "127.0.0.0", 24, 0, "its network of 24 bits was found to differ, and got a rate of its own"),
            ("path joined", "127.0.0.0", 24, 0, "its network of 24 bits went on at the rate of the others"),
            ("no route", "127.0.0.1", 101, 0, "there was no route to it: Network is unreachable"),
            ("limiter", "127.0.0.1", 1, 0, "it limits its ICMP errors; from here on it was asked at its pace"),
            ("policer", "127.0.0.1", 0, 0, "it looked as if only so many probes get through to it; from here on it was asked at a pace that does"),
            ("retry cap", "127.0.0.1", 11, 5, "--max-retries ended it, with 11 ports silent to all 5 tries"),
            ("idle scan stopped", "127.0.0.1", 0, 0, "its idle scan ended early"),
            ("conflict", "127.0.0.1", port, 0, "answers about this port contradicted each other; the first stood"),
            ("resumed", None, 0, 0, "the scan was resumed"),
        ]
        others = [
            (end + 10**9, "ring drops", None, 3, 4),
            (start - 1, "rate", "127.0.0.1", 100, 50),
            (end, "limiter", "127.0.0.2", 0, 0),
            (end, "conflict", "127.0.0.1", port + 1, 0),
            (end, "path split", "127.0.1.0", 24, 0),
            (end, "relay", "127.0.0.1", 0, 0),
        ]
        with sqlite3.connect(store) as rows:
            rows.execute("DELETE FROM event")
            insert = "INSERT INTO event(time_ns, what, host, first, second) VALUES(?, ?, ?, ?, ?)"
            rows.executemany(insert, others + [(end, *event[:-1]) for event in told])
        rows.close()
        out = stage.run("explain", store, f"127.0.0.1:{port}").stdout
        lines = out[out.index("meanwhile:\n") :].splitlines()[1:]
        self.assertEqual([line.split("  ")[-1] for line in lines], [event[-1] for event in told])

    def test_explain_counts_what_it_has_no_room_to_tell(self):
        (store, _), (port, _) = self.pair()
        ((end,),) = stored.rows(store, "SELECT end_ns FROM host")
        with sqlite3.connect(store) as rows:
            rows.execute("DELETE FROM event")
            insert = "INSERT INTO event(time_ns, what, host, first, second) VALUES(?, ?, ?, 1, 2)"
            rows.executemany(insert, [(end, "rate", None)] * 100 + [(end, "limiter", "127.0.0.1")])
        rows.close()
        out = stage.run("explain", store, f"127.0.0.1:{port}").stdout
        self.assertEqual(out.count("the rate went"), 40)
        self.assertIn("it limits its ICMP errors", out)
        self.assertTrue(out.endswith("and 60 more of the kind, in the table `event`\n"), out)

    def test_explain_says_when_silence_was_asked_for(self):
        subprocess.run(["nft", "-f", "-"], input=DROP_PORT_5, text=True, check=True)
        self.addCleanup(subprocess.run, ["nft", "delete", "table", "inet", "pt"], check=True)
        self.assertEqual(self.scan(arguments=["-n", "-Pn", "-sS", "-p", "1-9", "127.0.0.1", "198.18.0.9"]).returncode, 0)
        ((start, end, tries),) = stored.rows(self.store, "SELECT start_ns, end_ns, tries FROM host WHERE address='127.0.0.1'")
        said = stage.run("explain", self.store, "127.0.0.1:5").stdout
        self.assertIn(f"state: filtered\nsilent: asked {tries} times, not counting what our own side lost, between ", said)
        self.assertIn(f".{start % 10**9 // 1000:06} and ", said)
        self.assertIn(f".{end % 10**9 // 1000:06}, and nothing that proves itself came back", said)
        self.assertRegex(said, r"of \d+ tries in this scan that were answered in the end \d+ were lost")
        said = stage.run("explain", self.store, "127.0.0.1:6").stdout
        self.assertRegex(said, r"answered to try 1 no later than .*: reset, TTL 64\nproof: the answer carries the number")
        said = stage.run("explain", self.store, "198.18.0.9:6").stdout
        self.assertIn("not asked: host-unreach, as this machine itself found out", said)

    def test_explain_says_since_when_a_host_is_down(self):
        self.assertEqual(self.scan(arguments=["-n", "-sS", "-p", "1-9", "127.0.0.1", "198.18.0.9"]).returncode, 0)
        said = stage.run("explain", self.store, "198.18.0.9:5").stdout
        self.assertRegex(said, r"host: down, found so at [-\d]+ [:.\d]+ or later, because of no-response\n")

    def test_a_report_can_be_written_while_the_scan_runs_and_after_it(self):
        process = self.begun(stderr=subprocess.DEVNULL)
        report = str(self.directory / "report")
        self.assertEqual(stage.run("report", self.store, "-oJ", report).returncode, 0)
        self.assertEqual(json.loads(Path(report).read_text().splitlines()[-1])["exit"], "error")
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertEqual(stage.run("report", self.store, "-oJ", report).returncode, 0)
        self.assertEqual(stored.reported(report), stored.ports(self.store))

    def test_who_looks_at_a_store_is_limited_first(self):
        self.assertEqual(self.scan(arguments=QUICK).returncode, 0)
        said = stage.run("report", self.store, "-v").stderr
        self.assertRegex(said, r"are limited.*\(Landlock|built with sanitizers")
        self.assertIn("--no-sandbox", stage.run("report", self.store, "-v", "--no-sandbox").stderr)

    def test_a_report_opens_nothing_that_a_store_names(self):
        self.assertEqual(self.scan(arguments=QUICK).returncode, 0)
        named = self.directory / "named"
        words = ["portolan", "-n", "-sS", "-p", "1-50", "--servicedb", "/etc/passwd", "-oX", str(named), "127.0.0.0/28"]
        with sqlite3.connect(self.store) as store:
            store.execute("UPDATE scan SET words=?", ["".join(f"{word}\0" for word in words).encode()])
        store.close()
        result = stage.run("report", self.store, "-oG", "-")
        self.assertEqual(result.returncode, 0)
        self.assertIn("'/etc/passwd': --servicedb", result.stderr)
        self.assertFalse(named.exists())

    def test_a_store_of_a_link_that_is_not_here_is_read_and_not_resumed(self):
        link = "pt-cli-c"
        subprocess.run(["ip", "link", "add", link, "type", "veth", "peer", "name", "pt-cli-d"], check=True)
        Path(f"/proc/sys/net/ipv6/conf/{link}/disable_ipv6").write_text("0")
        for command in (["address", "add", "fe80::1/64", "dev", link, "nodad"], ["link", "set", link, "up"]):
            subprocess.run(["ip", *command], check=True)
        other = str(self.directory / "other")
        for store, ports in ((self.store, "1-9"), (other, "1-8")):
            self.assertEqual(self.scan(store=store, arguments=["-6", "-sT", "-n", "-p", ports, f"fe80::1%{link}"]).returncode, 0)
        subprocess.run(["ip", "link", "del", link], check=True)
        result = stage.run("resume", self.store)
        self.assertEqual(result.returncode, 69)
        self.assertIn(f"interface '{link}', which this machine does not have", result.stderr)
        result = stage.run("report", self.store, "-oJ", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        (number,) = re.findall(rf"interface '{link}', which this machine does not have: (\d+) stands for it", result.stderr)
        address = f"fe80::1%{number}"
        self.assertIn(f'"ip":"{address}"', result.stdout)
        result = stage.run("explain", self.store, f"[fe80::1%{link}]:9")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("state: closed\n", result.stdout)
        result = stage.run("diff", self.store, other)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stdout, rf"^no longer covered +{address} 9/tcp")

    def test_a_store_is_read_where_nothing_can_be_written(self):
        self.killed()
        for name in self.directory.iterdir():
            name.chmod(0o444)
        self.directory.chmod(0o555)
        before = sorted(os.listdir(self.directory))
        result = stage.run("report", self.store, "-oG", "-", privileged=False)
        self.directory.chmod(0o755)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sorted(os.listdir(self.directory)), before)

    def test_a_report_of_a_store_is_that_of_the_scan_but_for_its_times(self):
        """Ports of JSON lines come as they are found, and of closed ports single times are not kept: so host by host."""
        words = ["-n", "-sS", "-p", f"1-40,{self.port}", "--verify", "127.0.0.0/30"]
        for form in ("-oN", "-oG", "-oJ"):
            with self.subTest(form=form):
                files = [self.directory / f"{name}{form}" for name in ("scan", "report")]
                store = f"{self.store}{form}"
                self.assertEqual(self.scan(form, str(files[0]), arguments=words, store=store).returncode, 0)
                self.assertEqual(stage.run("report", store, form, str(files[1])).returncode, 0)
                scanned, told = (without_times(file.read_text()) for file in files)
                self.assertEqual(told, scanned)

    def test_a_store_of_another_schema_is_refused_and_left_as_it_was(self):
        self.assertEqual(self.scan(arguments=QUICK).returncode, 0)
        for version in (1, 99):
            with sqlite3.connect(self.store) as store:
                store.execute(f"PRAGMA user_version={version}")
            store.close()
            before = Path(self.store).read_bytes()
            for words, status in ((["report"], 65), (["resume"], 65), (["explain"], 65), (["diff", self.store], 2)):
                result = stage.run(*words, self.store, *(["127.0.0.1:1"] if words == ["explain"] else []))
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertIn(f"has version {version} of the schema", result.stderr)
            self.assertEqual(self.scan(arguments=QUICK).returncode, 73)
            self.assertEqual(Path(self.store).read_bytes(), before)

    def test_a_report_of_no_store_leaves_the_old_one(self):
        report = self.file("an old report", "report")
        self.assertEqual(stage.run("report", self.file("no store"), "-oX", report).returncode, 65)
        self.assertEqual(Path(report).read_text(), "an old report")

    def test_the_packets_that_decided_are_kept(self):
        packets = self.directory / "packets"
        words = ["-n", "-sS", "-p", f"1-3,{self.port}", "--pcap", str(packets), "127.0.0.1", "::1"]
        self.assertEqual(self.scan(arguments=words).returncode, 0)
        found = dict(stored.pcapng(packets.read_bytes()))
        self.assertEqual(len(found), 8)
        longer = found["::1 port 3/tcp is closed: reset"]
        self.assertEqual((len(longer), longer[0] >> 4, int.from_bytes(longer[40:42], "big"), longer[53]), (60, 6, 3, 0x14))
        packet = found[f"127.0.0.1 port {self.port}/tcp is open: syn-ack"]
        self.assertEqual((packet[0] >> 4, int.from_bytes(packet[20:22], "big"), packet[33]), (4, self.port, 0x12))
        self.assertEqual(stored.rows(self.store, "SELECT port, evidence FROM port"), [(self.port, packet)])
        self.assertIn("the packet that decided", stage.run("explain", self.store, f"127.0.0.1:{self.port}").stdout)

    def sweep(self, call, power=None):
        """Killed at this call, then resumed; power: and the machine with it, by this seed. What became of it: "begun anew",
        "resumed", or, if it was not killed at all, nothing."""
        store = str(self.directory / f"store-{call}-{power}")
        environment = {"LD_PRELOAD": FAULTS, "IO_FAULT": f"kill:{call}"}
        if power is not None:
            environment["IO_POWER"] = str(power)
        result = self.scan(store=store, environment=environment)
        if result.returncode == 0:
            self.assert_whole(store)
            return ""
        became = "resumed"
        self.assertLess(result.returncode, 0, f"call {call}: {result.stderr}")
        result = self.resume(store=store)
        if "no scan has begun" in result.stderr or "not of Portolan" in result.stderr or not Path(store).exists():
            result = self.scan(store=store)
            became = "begun anew"
        self.assertEqual(result.returncode, 0, f"call {call}: {result.stderr}")
        self.assert_whole(store)
        return became

    def test_a_scan_killed_at_any_write_or_sync_ends_with_the_same_result(self):
        """All of them with the environment KILL_SWEEP=all, else a sample."""
        everything = os.environ.get("KILL_SWEEP") == "all"
        calls = range(1, 1000) if everything else SAMPLE
        killed = 0
        with ThreadPoolExecutor(8) as pool:
            for start in range(0, len(calls), 8):
                results = list(pool.map(self.sweep, calls[start : start + 8]))
                killed += sum(map(bool, results))
                if not any(results):
                    break
        print(f"killed at {killed} calls, each resumed to the same {HOSTS * PORTS} ports, none twice")
        self.assertGreater(killed, 3)

    def test_a_scan_that_loses_power_at_any_write_or_sync_ends_with_the_same_result(self):
        """What was not synced is lost, all of it (0) or, by the seed, some. At every call with KILL_SWEEP=all, else at a sample."""
        everything = os.environ.get("KILL_SWEEP") == "all"
        calls = range(1, 160) if everything else SAMPLE[2:]
        lost = [(call, power) for call in calls for power in ((0, 1, 2) if everything else (0, call))]
        with ThreadPoolExecutor(8) as pool:
            became = dict(zip(lost, pool.map(lambda one: self.sweep(*one), lost)))
        anew = max(call for (call, _), what in became.items() if what == "begun anew")
        resumed = min(call for (call, power), what in became.items() if what == "resumed" and power == 0)
        self.assertLess(anew, resumed, "a scan that was on disk is not there any more")
        count = sum(map(bool, became.values()))
        print(f"lost power {count} times, each ended with the same {HOSTS * PORTS} ports, none twice")


if __name__ == "__main__":
    if "STORE_TEST_FAULTS" not in os.environ:  # the stage starts this script anew
        os.environ["STORE_TEST_FAULTS"] = os.path.abspath(sys.argv.pop(2))
    FAULTS = os.environ["STORE_TEST_FAULTS"]
    stage.main()
