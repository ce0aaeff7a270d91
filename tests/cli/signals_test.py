#!/usr/bin/env python3
"""signals_test.py PROGRAM: however a scan is stopped, its files are whole and say so, and no process is left behind."""

import os
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import stage

SLOW = ["-sT", "-n", "-r", "-p1-1000", "--scan-delay", "100ms", "127.0.0.1"]


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


class Signals(stage.StageTest):
    def start(self, *options, wait=True, ignored=None):
        """A slow scan that has begun to write its report."""
        self.report = str(self.directory / "report.xml")
        process = subprocess.Popen(
            stage.command([*SLOW, "-oX", self.report, *options]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=(lambda: signal.signal(ignored, signal.SIG_IGN)) if ignored else None,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        if wait:
            self.assertTrue(wait_until(lambda: os.path.exists(self.report) and len(children(process.pid)) == 1))
            time.sleep(0.3)
        return process

    def end(self, process):
        out, err = process.communicate(timeout=20)
        process.stdout.close()
        process.stderr.close()
        return process.returncode, out, err

    def assert_says_interrupted(self):
        finished = ElementTree.parse(self.report).getroot().find("runstats/finished")
        self.assertEqual(finished.get("exit"), "error")
        return finished.get("errormsg")

    def test_signals_end_the_scan_with_a_whole_report(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                process = self.start()
                worker = children(process.pid)[0]
                process.send_signal(number)
                status, out, err = self.end(process)
                self.assertEqual(status, 128 + number, err)
                self.assertEqual(err, f"portolan: interrupted by {number.name}\n")
                self.assertIn(number.name, self.assert_says_interrupted())
                self.assertIn("Nmap scan report for 127.0.0.1", out)
                self.assertFalse(is_alive(worker))

    def test_signals_that_are_to_be_ignored_are(self):
        """nohup ignores SIGHUP, a shell SIGINT for what it puts into the background; SIGCHLD is nobody's business but ours."""
        for number in (signal.SIGHUP, signal.SIGINT):
            process = self.start(ignored=number)
            process.send_signal(number)
            time.sleep(0.5)
            self.assertIsNone(process.poll())
            process.terminate()
            self.assertEqual(self.end(process)[0], 143)
        process = self.start(ignored=signal.SIGCHLD)
        process.terminate()
        self.assertEqual(self.end(process)[0], 143)

    def test_a_second_signal_ends_it_at_once(self):
        process = self.start()
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        status, _, err = self.end(process)
        self.assertEqual(status, 130, err)

    def test_at_any_time_the_report_is_whole_or_not_there(self):
        for step in range(15):
            process = self.start(wait=False)
            time.sleep(step * 0.01)
            process.send_signal(signal.SIGINT)
            status, _, err = self.end(process)
            self.assertIn(status, (130, -signal.SIGINT), err)
            if status == 130:
                self.assert_says_interrupted()

    def test_when_the_packet_process_dies_what_was_found_is_reported(self):
        process = self.start()
        os.kill(children(process.pid)[0], signal.SIGKILL)
        status, out, err = self.end(process)
        self.assertEqual(status, 70, err)
        self.assertIn("signal 9", err)
        self.assertEqual(len(err.splitlines()), 1)
        self.assertIn("signal 9", self.assert_says_interrupted())
        self.assertIn("Nmap scan report for 127.0.0.1", out)

    def start_two(self):
        """A slow scan of four hosts by two packet processes."""
        self.report = str(self.directory / "two.xml")
        slow = ["-sT", "-n", "-r", "-p1-40", "--scan-delay", "50ms", "--workers", "2", "127.0.0.1-4", "-oX", self.report]
        pipe = subprocess.PIPE
        process = subprocess.Popen(stage.command(slow), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertTrue(wait_until(lambda: os.path.exists(self.report) and len(children(process.pid)) == 2))
        time.sleep(0.3)
        return process

    def test_when_one_of_two_packet_processes_dies_the_other_goes_on(self):
        process = self.start_two()
        os.kill(children(process.pid)[0], signal.SIGKILL)
        status, _, err = self.end(process)
        self.assertEqual(status, 70, err)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn("signal 9", err)
        self.assertIn("signal 9", self.assert_says_interrupted())
        hosts = ElementTree.parse(self.report).getroot().findall("host")
        states = [{extra.get("state"): int(extra.get("count")) for extra in host.iter("extraports")} for host in hosts]
        self.assertEqual(sum(state == {"closed": 40} for state in states), 2, states)

    def test_a_signal_ends_both_packet_processes(self):
        process = self.start_two()
        workers = children(process.pid)
        process.terminate()
        status, _, err = self.end(process)
        self.assertEqual((status, err), (143, "portolan: interrupted by SIGTERM\n"))
        self.assertFalse(any(map(is_alive, workers)))

    def test_when_the_supervisor_dies_nothing_is_left(self):
        process = self.start()
        worker = children(process.pid)[0]
        process.kill()
        self.end(process)
        self.assertTrue(wait_until(lambda: not is_alive(worker)))

    def start_unread(self, *options):
        """A scan whose reader does not read, and which has more to say than a pipe holds."""
        report = str(self.directory / "report.jsonl")
        options = [*options, "-sT", "-n", "-p1-20", "127.0.0.1-250", "-oJ", "-", "-oX", report]
        process = subprocess.Popen(stage.command(options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, report

    def test_a_reader_that_does_not_read_delays_nothing(self):
        process, report = self.start_unread()
        self.assertTrue(wait_until(lambda: os.path.exists(report) and b"</nmaprun>" in Path(report).read_bytes(), 60))
        self.assertIsNone(process.poll())  # it waits for its reader, with everything found
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertGreater(len(out), 1 << 17)
        self.assertIn(b'"summary"', out.splitlines()[-1])
        process.stdout.close()
        process.stderr.close()

    def test_nor_does_it_keep_a_signal_from_ending_it(self):
        process, report = self.start_unread()
        self.assertTrue(wait_until(lambda: os.path.exists(report) and b"</nmaprun>" in Path(report).read_bytes(), 60))
        process.terminate()
        self.assertEqual(process.wait(timeout=30), 74)
        self.assertEqual(process.stderr.read(), b"portolan: cannot write standard output: No buffer space available\n")
        process.stdout.close()
        process.stderr.close()

    def assert_ends_when_its_reader_leaves(self, arguments, seconds):
        command = stage.command([*arguments, "-oN", "-"])
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(timeout=seconds), err), (74, ""))

    def test_a_reader_that_leaves_ends_it_without_noise(self):
        self.assert_ends_when_its_reader_leaves(["-sT", "-n", "-p1-300", "--scan-delay", "10ms", "127.0.0.1-3"], 20)

    def test_nor_does_it_go_on_until_it_has_something_to_write(self):
        # Of more hosts than the ring between the processes holds records.
        self.assert_ends_when_its_reader_leaves(["-sT", "-n", "-Pn", "-p1-300", "--max-rate", "1000", "127.0.0.0/15"], 60)


if __name__ == "__main__":
    stage.main()
