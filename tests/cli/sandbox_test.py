#!/usr/bin/env python3
"""sandbox_test.py PROGRAM: while a scan runs, none of its processes has a capability or can gain one, and each is limited to
what it needs: taken over and made to call the kernel, it is ended, and the user is told. And of a scan, even one that was
killed, nothing is left but its output."""

import contextlib
import ctypes
import errno
import os
import pty
import re
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import stage

SLOW = ["-r", "-p1-250", "--scan-delay", "1s", "127.0.0.1"]
DEAF_SERVER = ["--dns-servers", "127.0.0.1:9"]
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")
LIBC = ctypes.CDLL(None)
PIDFD_GETFD, SO_DETACH_FILTER = 438, 27
INJECT = os.environ["PORTOLAN_INJECT"]  # the program of inject.c


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def status_of(pid, thread=None):
    lines = Path(f"/proc/{pid}/task/{thread or pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def names_of(pids):
    return sorted(status_of(pid)["Name"] for pid in pids)


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


class Sandbox(stage.StageTest):
    @classmethod
    def setUpClass(cls):
        subprocess.run(["mount", "-t", "tmpfs", "none", "/dev/shm"], check=True)  # what others leave there is not ours
        said = stage.run("doctor").stdout
        cls.limited = "built with sanitizers" not in said
        if cls.limited and "system calls are limited, files are limited (Landlock" not in said:
            raise AssertionError(f"this machine has no sandbox: {said}")

    def start(self, *options, terminal=False, others=(), scan=SLOW):
        """A slow scan under way, with these processes beside the supervisor and the packet process; its XML in self.report."""
        self.report = str(self.directory / "report.xml")
        expected = sorted(["portolan", *others])
        arguments = [*options, *scan, "-oX", self.report]
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = subprocess.Popen(
            stage.command(arguments),
            stdin=slave if terminal else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=slave if terminal else subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        os.close(slave)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        last_given_up = "Seccomp" if self.limited and "--no-sandbox" not in options else "NoNewPrivs"

        def begun():
            pids = [process.pid, *children(process.pid)]
            free = [pid for pid in pids if status_of(pid)[last_given_up] == "0"]
            return names_of(pids[1:]) == expected and len(free) == others.count("portolan-then")

        self.assertTrue(wait_until(begun))
        return process

    def worker_of(self, process):
        return next(pid for pid in children(process.pid) if status_of(pid)["Name"] == "portolan")

    def end(self, process):
        _, said = process.communicate(timeout=30)
        return process.returncode, said

    def assert_limited(self, pid, limited=True):
        """The process, with all its threads."""
        for thread in os.listdir(f"/proc/{pid}/task"):
            status = status_of(pid, thread)
            self.assertEqual([int(status[name], 16) for name in CAPABILITIES], [0] * 4, status["Name"])
            self.assertEqual(status["NoNewPrivs"], "1", status["Name"])
            self.assertEqual(status["Seccomp"], "2" if limited else "0", status["Name"])

    def assert_all_limited(self, process):
        for pid in [process.pid, *children(process.pid)]:
            self.assert_limited(pid, self.limited)

    def test_every_process_is_limited(self):
        for scan in ("-sS", "-sT", "-sU", "-sO"):
            process = self.start(scan, *DEAF_SERVER, terminal=True, others=("portolan-names", "portolan-keys"))
            self.assert_all_limited(process)
            process.terminate()
            self.assertEqual(process.wait(timeout=30), 143)

    def test_so_is_every_process_of_every_other_kind_of_scan(self):
        silent = ["-e", stage.LINK, "-n", "-Pn", "-p1-50", "--max-rate", "5", "198.18.0.0/24"]
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        relay = "{}:{}".format(*listener.getsockname())  # it takes the connection, and says nothing
        kinds = [
            ["-sS", *silent],
            ["-sn", *silent[:3], *silent[5:]],
            ["-sY", "--workers", "2", *silent],
            ["-sS", "--store", str(self.directory / "store"), *silent],
            ["-sI", "198.18.0.200", *silent],
            ["--find-zombie", "198.18.0.0/24", *silent[:3], "--max-rate", "5"],
            ["-b", relay, "-n", "-p1-50", "127.0.0.1"],
        ]
        if stage.is_root():  # nobody else may load programs into the kernel
            kinds += [["-sS", "--backend", backend, *silent] for backend in ("raw", "xdp", "kernel")]
        for scan in kinds:
            with self.subTest(scan=scan):
                process = self.start(scan=scan, others=["portolan"] * ("--workers" in scan))
                self.assert_all_limited(process)
                process.terminate()
                self.assertIn(self.end(process)[0], (75, 143))

    def test_so_is_who_resumes_a_scan(self):
        store = str(self.directory / "store")
        process = self.start("-sS", "-n", "--store", store)
        process.terminate()
        self.assertEqual(self.end(process)[0], 75)
        process = self.start(scan=["resume", store])
        self.assert_all_limited(process)
        process.terminate()
        self.assertEqual(self.end(process)[0], 75)

    def start_unread(self, words):
        """Nobody reads its standard output, so it is still there when it has told everything."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, bytes(4096))
        os.set_blocking(writer, True)
        process = subprocess.Popen(stage.command(words), stdin=subprocess.DEVNULL, stdout=writer)
        os.close(writer)
        self.addCleanup(process.wait, 30)
        self.addCleanup(os.close, reader)  # then it cannot write, and ends
        return process

    def test_so_is_who_looks_at_a_store(self):
        store = str(self.directory / "store")
        other = str(self.directory / "other")
        for path, ports in ((store, "1-50"), (other, "1-49")):
            self.assertEqual(stage.run("-sS", "-n", "-p", ports, "--store", path, "127.0.0.1").returncode, 0)
        for words in (["report", store], ["explain", store, "127.0.0.1:1"], ["diff", store, other], ["diff", "--json", store, other]):
            with self.subTest(words=words):
                process = self.start_unread(words)
                given_up = "Seccomp" if self.limited else "NoNewPrivs"
                self.assertTrue(wait_until(lambda: status_of(process.pid)[given_up] != "0"))
                self.assert_all_limited(process)
                self.assertIsNone(process.poll())

    def test_the_doctor_has_no_privilege_and_can_gain_none(self):
        """It opens sockets and reads files to see which it may, so its system calls are not limited."""
        process = self.start_unread(["doctor"])
        self.assertTrue(wait_until(lambda: status_of(process.pid)["NoNewPrivs"] != "0"))
        self.assert_limited(process.pid, limited=False)
        self.assertEqual(children(process.pid), [])

    def test_only_what_runs_the_users_commands_is_not(self):
        process = self.start("-sS", "-n", "--then", "true", others=("portolan-then",))
        for pid in [process.pid, *children(process.pid)]:
            status = status_of(pid)
            if status["Name"] != "portolan-then":
                self.assert_limited(pid, self.limited)
            else:
                self.assertEqual([int(status[name], 16) for name in CAPABILITIES], [0] * 4)
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("0", "0"))  # its commands would inherit them
                self.assertEqual(sorted(os.listdir(f"/proc/{pid}/fd"))[:3], ["0", "1", "2"])
                self.assertEqual(len(os.listdir(f"/proc/{pid}/fd")), 5)
        process.terminate()
        self.assertEqual(self.end(process)[0], 143)

    def test_a_packet_process_that_is_taken_over_dies_and_the_user_is_told(self):
        forbidden = ["openat", "execve", "clone", "kill", "ptrace", "mount", "setuid", "bpf", "unlinkat"]
        for scan, calls in (("-sS", ["connect", *forbidden]), ("-sT", forbidden[:3])):
            for call in calls if self.limited else []:
                with self.subTest(scan=scan, call=call):
                    process = self.start(scan, "-n")
                    subprocess.run([INJECT, str(self.worker_of(process)), call], check=True)
                    status, said = self.end(process)
                    self.assertEqual(status, 70, said)
                    self.assertRegex(said, r"\Aportolan: the packet process tried what its sandbox forbids.*\n\Z")
                    finished = ElementTree.parse(self.report).getroot().find("runstats/finished")
                    self.assertIn("sandbox", finished.get("errormsg"))

    def test_the_filter_of_its_sockets_cannot_be_taken_off(self):
        """Who has taken the packet process over hears no more than it did."""
        for backend in ("packet", "raw"):
            process = self.start("-sS", "-n", "--backend", backend)
            worker = self.worker_of(process)
            pidfd = os.pidfd_open(worker)
            self.addCleanup(os.close, pidfd)
            refused = 0
            for name in os.listdir(f"/proc/{worker}/fd"):
                if not os.readlink(f"/proc/{worker}/fd/{name}").startswith("socket:"):
                    continue
                fd = LIBC.syscall(PIDFD_GETFD, pidfd, int(name), 0)
                self.assertGreaterEqual(fd, 0)
                with socket.socket(fileno=fd) as taken, self.assertRaises(OSError) as caught:
                    taken.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
                self.assertIn(caught.exception.errno, (errno.EPERM, errno.ENOENT))  # none: what only sends has no filter
                refused += caught.exception.errno == errno.EPERM
            self.assertGreater(refused, 0)
            process.terminate()
            self.end(process)

    def test_so_does_one_that_may_run_the_program_it_loaded_and_tries_more(self):
        """bpf() is allowed for running it, and for nothing else."""
        if not (self.limited and stage.is_root()):
            return  # nobody else may load programs into the kernel
        scan = ["-sS", "--backend", "kernel", "-e", stage.LINK, "-n", "-Pn", "-p1-50", "--max-rate", "5", "198.18.0.0/24"]
        for call in ("bpf", "openat", "execve"):
            with self.subTest(call=call):
                process = self.start(scan=scan)
                subprocess.run([INJECT, str(self.worker_of(process)), call], check=True)
                status, said = self.end(process)
                self.assertEqual(status, 70, said)
                self.assertIn("the packet process tried what its sandbox forbids", said)

    def test_so_do_the_others(self):
        for name in ("portolan-names", "portolan-keys") if self.limited else ():
            process = self.start("-sT", *DEAF_SERVER, terminal=True, others=("portolan-names", "portolan-keys"))
            victim = next(pid for pid in children(process.pid) if status_of(pid)["Name"] == name)
            tracer = subprocess.Popen([INJECT, str(victim), "execve"])
            process.send_signal(signal.SIGTERM)  # the keeper of the terminal wakes at the end
            self.assertEqual(process.wait(timeout=30), 143)
            tracer.wait(timeout=30)
            self.assertFalse(os.path.exists(f"/proc/{victim}"))

    def test_a_supervisor_that_is_taken_over_dies_and_takes_the_others_along(self):
        for call in ["openat", "execve", "clone", "connect", "unlinkat"] if self.limited else []:
            process = self.start("-sS", "-n")
            worker = self.worker_of(process)
            subprocess.run([INJECT, str(process.pid), call], check=True)
            self.assertEqual(self.end(process)[0], -signal.SIGSYS)
            self.assertTrue(wait_until(lambda: not os.path.exists(f"/proc/{worker}")))

    def test_the_sandbox_can_be_left_off_and_either_is_said(self):
        process = self.start("-sS", "-n", "--no-sandbox")
        for pid in [process.pid, *children(process.pid)]:
            self.assert_limited(pid, limited=False)
        process.terminate()
        self.end(process)
        said = stage.run("-sT", "-n", "-v", "-p1", "--no-sandbox", "127.0.0.1").stderr
        self.assertIn("system calls are not limited (--no-sandbox)", said)
        said = stage.run("-sT", "-n", "-v", "-p1", "127.0.0.1").stderr
        self.assertRegex(said, "are limited.*Landlock" if self.limited else "built with sanitizers")

    def test_no_core_file_is_written(self):
        if not self.limited:
            return  # a build with sanitizers may be traced, and so dumped
        os.chdir(self.directory)
        process = self.start("-sS", "-n")
        worker = self.worker_of(process)
        subprocess.run(["prlimit", "--core=unlimited", f"--pid={worker}"], check=True)
        os.kill(worker, signal.SIGABRT)
        status, said = self.end(process)
        self.assertEqual(status, 70)
        self.assertIn("signal 6", said)
        self.assertEqual(os.listdir(), ["report.xml"])

    def traces(self):
        """Whatever a scan could leave behind in this namespace and around its output."""
        commands = ("nft list ruleset", "ip -4 route show table all", "ip -6 route show table all", "ip rule", "ip -o address",
                    "ip -o link", "tc qdisc show")  # fmt: skip
        seen = {command: subprocess.run(command.split(), capture_output=True, text=True).stdout for command in commands}
        seen["ip -o link"] = re.sub(r" state \S+", "", seen["ip -o link"])
        for path in sorted(Path("/proc/sys/net").rglob("*")):
            if path.is_file() and os.access(path, os.R_OK):
                try:
                    seen[str(path)] = path.read_text()
                except OSError:
                    pass  # some can only be written
        for directory in (self.directory, "/dev/shm"):
            seen[str(directory)] = sorted(os.listdir(directory))
        return seen

    def test_nothing_is_left_of_a_scan_but_its_output(self):
        home = self.directory / "home"
        home.mkdir()
        os.chdir(home)
        (self.directory / "report.xml").touch()
        before = self.traces()
        scans = [["-sS", "--backend", "packet", *SLOW], ["-sU", "--backend", "raw", *SLOW], ["-sT", *SLOW]]
        if stage.is_root():  # nobody else may load programs into the kernel
            silent = ["-e", stage.LINK, "-Pn", "-p1-50", "--max-rate", "5", "198.18.0.0/24"]
            scans += [["-sS", "--backend", backend, *silent] for backend in ("xdp", "kernel")]
        for scan in scans:
            for end in (
                lambda process: process.terminate(),
                lambda process: process.kill(),
                lambda process: os.kill(self.worker_of(process), signal.SIGKILL),
            ):
                process = self.start("-n", scan=scan)
                end(process)
                self.end(process)
                self.assertEqual(self.traces(), before)
        self.assertEqual(os.listdir(home), [])


if __name__ == "__main__":
    stage.main("-m")
