#!/usr/bin/env python3
"""How much faster do two workers on two cores send than one: frames a second that leave the interface, where the other end
drops them at once. The runs are interleaved; the medians and their ratio are printed.

Runs in network namespaces of its own; needs root. See README.md."""

import argparse
import random
import statistics
from pathlib import Path

import blast
import pair


def commands(blasts):
    """What is compared, by name. The bare loops show what two cores of this machine bring at most."""
    bare = " ".join(map(str, blasts["bare"]))
    return {
        "1 worker": [*blasts["packet"], "--workers", "1"],
        "2 workers": [*blasts["packet"], "--workers", "2"],
        "1 bare loop": blasts["bare"],
        "2 bare loops": ["sh", "-c", f"{bare} & {bare} & wait"],
    }


def report(rates, costs, one, two):
    ratios = [double / single for single, double in zip(rates[one], rates[two])]
    cost = statistics.median(costs[two]) / statistics.median(costs[one])
    print(f"{two} are {statistics.median(rates[two]) / statistics.median(rates[one]):.2f} times as fast as {one} "
          f"(round by round {min(ratios):.2f} to {max(ratios):.2f}); a frame takes {cost:.2f} times the processor time, so two "
          f"idle cores would bring {2 / cost:.2f}")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ports", type=int, default=64, help="probes for each of the 16,384 hosts")
    parser.add_argument("--cores", default="0,1")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chosen = commands(blast.commands(options.build, options.ports))
    rates, costs = {name: [] for name in chosen}, {name: [] for name in chosen}
    order = random.Random(options.seed)
    with pair.Pair("workers") as network:
        network.route_to_target(blast.NETWORK, answers=False)
        blast.drop_everything(network, options.build)
        for number in range(1, options.rounds + 1):
            for name in order.sample(list(chosen), len(chosen)):
                before = blast.used_s()
                sent, rate = blast.measure(network, chosen[name], options.cores)
                rates[name].append(rate)
                costs[name].append((blast.used_s() - before) / sent)
                print(f"round {number}  {name:12} {sent:9} sent {rate:10.0f}/s {costs[name][-1] * 1e6:6.2f} us of "
                      "processor time each", flush=True)  # fmt: skip
    report(rates, costs, "1 worker", "2 workers")
    report(rates, costs, "1 bare loop", "2 bare loops")


if __name__ == "__main__":
    main()
