#!/usr/bin/env python3
"""terminal_test.py PROGRAM: on a terminal there is a progress line and keys work; the terminal is always given back as it was."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from pathlib import Path

import stage

SLOW = ["-sT", "-n", "-r", "-p1-1000", "--scan-delay", "100ms", "127.0.0.1"]
LOCAL_FLAGS = 3


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def name_of(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip()


class Terminal(stage.StageTest):
    def start(self, *arguments):
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.before = termios.tcgetattr(self.slave)
        self.seen = ""

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            stage.command(arguments), stdin=self.slave, stdout=subprocess.DEVNULL, stderr=self.slave, preexec_fn=own_terminal
        )
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

    def await_text(self, pattern, seconds=10):
        """Read until this is on the screen; forget what came before."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            self.assertLess(time.monotonic(), end, f"no {pattern!r} in {self.seen!r}")
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 4096).decode()
        self.seen = ""

    def await_mode(self, mode, seconds=10):
        end = time.monotonic() + seconds
        while termios.tcgetattr(self.slave) != mode and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(termios.tcgetattr(self.slave), mode)

    def await_keeper(self, seconds=10):
        """The process that gives the terminal back. It is there before the progress line, but names itself when it runs."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for pid in children(self.process.pid):
                if name_of(pid) == "portolan-keys":
                    return pid
            time.sleep(0.01)
        self.fail("no process keeps the terminal")

    def press(self, key):
        os.write(self.master, key.encode())

    def takes_keys(self):
        return not termios.tcgetattr(self.slave)[LOCAL_FLAGS] & termios.ICANON

    def end(self):
        status = self.process.wait(timeout=20)
        self.assertEqual(termios.tcgetattr(self.slave), self.before, "the terminal was not given back as it was")
        return status

    def test_progress_line_and_keys(self):
        self.start(*SLOW)
        self.await_text(r"\r\x1b\[K.*% done.*found \d+ +drops \d+")
        self.assertTrue(self.takes_keys())
        self.press(" ")
        self.await_text(r"portolan: 0:00:\d\d elapsed.*left")
        self.press("?")
        self.await_text(r"portolan: keys:")
        self.press("v")
        self.await_text(r"portolan: verbosity is now 1")
        self.press("V")
        self.await_text(r"portolan: verbosity is now 0")
        self.press("d")
        self.await_text(r"portolan: debugging is now 1")
        self.press("p")
        self.await_text(r"SENT .* 127\.0\.0\.1")
        self.press("P")
        self.await_text(r"packets are no longer shown")
        self.press("\x03")
        self.assertEqual(self.end(), 130)

    def test_the_terminal_is_given_back_after_each_way_out(self):
        for number, status in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            self.start(*SLOW)
            self.await_text("% done")
            self.process.send_signal(number)
            self.assertEqual(self.end(), status)
        self.start("-sT", "-n", "-p1", "127.0.0.1")
        self.assertEqual(self.end(), 0)
        self.start("-sT", "-n", "-p1", "127.0.0.1", "-oX", str(self.directory / "missing" / "file"))
        self.assertEqual(self.end(), 73)

    def test_even_a_killed_scan_leaves_the_terminal_as_it_was(self):
        self.start(*SLOW)
        self.await_text("% done")
        self.assertTrue(self.takes_keys())
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.await_mode(self.before)
        self.start(*SLOW)
        self.await_text("% done")
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.await_mode(self.before)

    def test_what_the_shell_has_changed_since_is_left_alone(self):
        self.start(*SLOW)
        self.await_text("% done")
        keeper = self.await_keeper()
        changed = termios.tcgetattr(self.slave)
        changed[0] &= ~termios.ICRNL
        termios.tcsetattr(self.slave, termios.TCSANOW, changed)
        self.process.kill()
        self.process.wait()
        while os.path.exists(f"/proc/{keeper}"):
            time.sleep(0.01)
        self.assertEqual(termios.tcgetattr(self.slave), changed)

    def test_suspended_it_gives_the_terminal_back_and_takes_it_again(self):
        self.start(*SLOW)
        self.await_text("% done")
        self.process.send_signal(signal.SIGTSTP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        self.assertEqual(termios.tcgetattr(self.slave), self.before)
        self.process.send_signal(signal.SIGCONT)
        self.await_text("% done")
        self.assertTrue(self.takes_keys())
        self.press("\x03")
        self.assertEqual(self.end(), 130)

    def test_stats_every_works_without_a_terminal_too(self):
        result = stage.run("-sT", "-n", "-p1-8", "--scan-delay", "100ms", "--stats-every", "200ms", "127.0.0.1")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"^portolan: 0:00:00 elapsed, ")
        self.assertNotIn("\x1b", result.stderr)


if __name__ == "__main__":
    stage.main()
