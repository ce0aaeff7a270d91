#!/usr/bin/env python3
"""store_faults_test.py PROGRAM: what the world does to a scan with a store: a disk that is full, outputs that vanish, readers that
leave or stand still. It ends with the documented status, nothing that was found is lost, and resume finishes it."""

import contextlib
import os
import signal
import subprocess
import time

import stage
import stored

HOSTS, PORTS = 16, 200
SCAN = ["-n", "-sS", "-p", f"1-{PORTS}", "127.0.0.0/28"]


def state(store):
    """As the store says it; None while it cannot be read."""
    try:
        return stored.state(store)
    except Exception:  # it is being made, or is gone
        return None


def wait_until(condition, seconds=40):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


class StoreFaults(stage.StageTest):
    def setUp(self):
        super().setUp()
        self.store = str(self.directory / "store")

    def start(self, *options, rate=2000, **more):
        more.setdefault("stdout", subprocess.DEVNULL)
        words = stage.command([*SCAN, "--max-rate", str(rate), "--store", self.store, *options])
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def started(self, *options, **more):
        """... and has stored some hosts."""
        process = self.start(*options, **more)
        self.assertTrue(wait_until(lambda: state(self.store) and stored.progress(self.store)))
        return process

    def assert_resumes(self, *options):
        result = stage.run("resume", self.store, "--max-rate", "20000", *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_whole()

    def assert_whole(self):
        found = stored.ports(self.store)
        self.assertEqual(len(found), HOSTS * PORTS)
        self.assertEqual(set(found.values()), {("closed", "reset")})
        self.assertEqual(stored.state(self.store), "complete")

    def mount(self, size):
        place = self.directory / "small"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        return place

    def test_a_disk_that_is_full_stops_it_until_there_is_room(self):
        place = self.mount("4m")
        self.store = str(place / "store")
        process = self.started(rate=800)
        with contextlib.suppress(OSError), open(place / "ballast", "wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(), 75, err)
        self.assertIn("the disk is full", err)
        self.assertIn("portolan resume", err)
        (place / "ballast").unlink()
        self.assert_resumes()

    def test_a_disk_without_room_for_the_report_loses_nothing(self):
        place = self.mount("32k")
        (place / "ballast").write_bytes(bytes(28 << 10))
        process = self.start("-oX", place / "report")
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(), 74, err)
        self.assertIn("No space left on device", err)
        self.assert_resumes("-oX", str(self.directory / "report"))

    def test_a_store_that_is_removed_ends_it(self):
        process = self.started(rate=800)
        os.unlink(self.store)
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(), 74, err)
        self.assertIn("removed", err)
        self.assertNotIn("goes on", err)

    def test_a_report_that_is_removed_is_said_and_can_be_written_again(self):
        report = self.directory / "report"
        process = self.started("-oX", report, rate=800)
        report.unlink()
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(), 74, err)
        self.assertIn("removed", err)
        self.assert_whole()
        self.assertEqual(stage.run("report", self.store, "-oX", str(report)).returncode, 0)
        self.assertIn("</nmaprun>", report.read_text())

    def test_where_nothing_can_be_made_nothing_is_sent(self):
        place = self.directory / "closed"
        place.mkdir(mode=0o555)
        sent = stage.packets_sent()
        for option in ("--store", "-oX", "-oN", "-oJ", "-oG", "-oL", "--pcap"):
            words = stage.command([*SCAN, option, str(place / "file")])
            result = subprocess.run(words, capture_output=True, text=True, timeout=60)
            self.assertEqual(result.returncode, 73, result.stderr)
            self.assertIn(str(place / "file"), result.stderr)
        self.assertEqual(stage.packets_sent(), sent)

    def test_packets_without_room_end_it_and_resume_finishes_it(self):
        place = self.mount("16k")
        process = self.start("--pcap", place / "packets")
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(), 74, err)
        self.assertIn("No space left on device", err)
        self.assert_resumes()

    def test_packets_whose_file_is_removed_are_missed(self):
        packets = self.directory / "packets"
        process = self.started("--pcap", packets, rate=800)
        packets.unlink()
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(), 74, err)
        self.assertIn("removed", err)
        self.assert_whole()

    def test_a_late_reader_of_packets_gets_them_all_and_delays_nothing(self):
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        process = self.start("--pcap", fifo)
        self.assertTrue(wait_until(lambda: state(self.store) == "complete"))
        self.assertEqual(stored.rows(self.store, "SELECT drops FROM scan"), [(0,)])
        self.assertIsNone(process.poll())  # it waits, with what the pipe did not hold
        os.set_blocking(reader, True)
        with open(reader, "rb") as file:
            packets = list(stored.pcapng(file.read()))
        self.assertEqual(process.wait(timeout=20), 0)
        self.assertEqual(len(packets), HOSTS * PORTS)

    def test_a_standard_output_that_is_closed_is_said_before_anything_is_sent(self):
        sent = stage.packets_sent()
        process = self.start(preexec_fn=lambda: os.close(1), stdout=None)
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(), 74, err)
        self.assertIn("standard output", err)
        self.assertEqual(stage.packets_sent(), sent)
        self.assertFalse(os.path.exists(self.store))

    def test_a_reader_that_leaves_ends_it_and_resume_finishes_it(self):
        process = self.start("-oJ", "-", stdout=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=40), 74, err)
        self.assert_resumes()

    def test_a_reader_that_stands_still_delays_neither_scan_nor_store(self):
        """Its pipe holds one page; the report is many."""
        process = self.start("-oJ", "-", "-ddd", stdout=subprocess.PIPE, pipesize=4096)
        self.assertTrue(wait_until(lambda: state(self.store) == "complete"))
        self.assert_whole()
        drops = stored.rows(self.store, "SELECT drops FROM scan")
        self.assertEqual(drops, [(0,)])
        self.assertIsNone(process.poll())  # it waits, with what it has to say
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        self.assertEqual(process.wait(timeout=20), 74)
        process.stdout.close()


if __name__ == "__main__":
    stage.main("-m")
