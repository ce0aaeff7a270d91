"""How much memory a program and all that it started took at most. What the kernel counts for a child that has ended begins with
the size of whoever forked it, so it is looked at while it runs."""

import threading
from pathlib import Path

TICK_S = 0.02


def children(pid):
    """The process and all that descend from it."""
    found = [pid]
    try:
        for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in tasks.read_text().split():
                found += children(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def peak_kb(pid):
    """The largest resident size since the process began its program; 0 when it has gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


class Watch(threading.Thread):
    """Looks at a process and its children until stop()."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peaks, self.over = pid, {}, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(TICK_S):
            for pid in children(self.pid):
                self.peaks[pid] = max(self.peaks.get(pid, 0), peak_kb(pid))

    def stop(self):
        """The peaks in kB, by process."""
        self.over.set()
        self.join()
        return self.peaks
