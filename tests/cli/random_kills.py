#!/usr/bin/env python3
"""random_kills.py PROGRAM [KILLS [SEED]]: a scan is killed at random instants, sometimes its packet process instead, and
resumed, again and again until it is complete; then everything is compared with the truth. Not a test of every day: 200 kills
take some minutes. Needs what the other tests here need."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import stage
import stored

HOSTS, PORTS, SECONDS = 16, 200, 2.5
SCAN = ["-n", "-sS", "-p", f"1-{PORTS}", "--max-rate", str(int(HOSTS * PORTS / SECONDS)), "127.0.0.0/28"]
AT_ONCE = 6


def children(pid):
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def strike(process, chance):
    """Wait a random time, then kill the supervisor or one of its processes. Was it in time?"""
    try:
        process.wait(timeout=chance.uniform(0, SECONDS))
        return False
    except subprocess.TimeoutExpired:
        pass
    victims = [process.pid, *children(process.pid)]
    try:
        os.kill(chance.choice(victims), signal.SIGKILL)
    except ProcessLookupError:
        return False
    process.wait()
    return process.returncode != 0


def begun(store):
    try:
        return stored.rows(store, "SELECT count(*) FROM scan")[0][0] == 1
    except Exception:  # no file, or nothing in it yet
        return False


def survive(seed):
    """One scan, until it is complete. How often it was killed."""
    chance = random.Random(seed)
    directory = tempfile.mkdtemp(prefix="portolan-")
    store = f"{directory}/store"
    kills, complete = 0, False
    while not complete:
        words = ["resume", store] if begun(store) else ["--store", store, *SCAN]
        process = subprocess.Popen(stage.command(words), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        kills += strike(process, chance)
        error = process.stderr.read()
        process.stderr.close()
        if process.returncode == 73 and "in use" in error:
            time.sleep(0.1)  # what was killed is not quite gone
        complete = process.returncode == 0
        if process.returncode not in (0, 70, 73, 75, -signal.SIGKILL):
            raise AssertionError(f"seed {seed}: status {process.returncode}: {error}")
    found = stored.ports(store)
    if len(found) != HOSTS * PORTS or set(found.values()) != {("closed", "reset")}:
        raise AssertionError(f"seed {seed}: {len(found)} ports, {set(found.values())}")
    if stored.progress(store) != {"done": HOSTS} or stored.state(store) != "complete":
        raise AssertionError(f"seed {seed}: {stored.progress(store)}, {stored.state(store)}")
    shutil.rmtree(directory)
    return kills


def main():
    stage.PROGRAM = os.path.abspath(sys.argv[1])
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    stage.enter([])
    kills = scans = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while kills < wanted:
            kills += sum(pool.map(survive, range(seed + scans, seed + scans + AT_ONCE)))
            scans += AT_ONCE
    print(f"{kills} kills of {scans} scans: each ended with the same {HOSTS * PORTS} ports, none of them twice")


if __name__ == "__main__":
    main()
