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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(__file__).resolve().parent.parent / "build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ports", type=int, default=64, help="probes for each of the 16,384 hosts")
    parser.add_argument("--cores", default="0,1")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    packet = blast.commands(options.build, options.ports)["packet"]
    rates, costs = {count: [] for count in (1, 2)}, {count: [] for count in (1, 2)}
    order = random.Random(options.seed)
    with pair.Pair("workers") as network:
        network.route_to_target(blast.NETWORK, answers=False)
        blast.drop_everything(network, options.build)
        for number in range(1, options.rounds + 1):
            for count in order.sample(list(rates), len(rates)):
                before = blast.used_s()
                sent, rate = blast.measure(network, [*packet, "--workers", str(count)], options.cores)
                rates[count].append(rate)
                costs[count].append((blast.used_s() - before) / sent)
                print(f"round {number}  {count} workers {sent:9} sent {rate:10.0f}/s {costs[count][-1] * 1e6:6.2f} us of "
                      "processor time each", flush=True)  # fmt: skip
    medians = {count: statistics.median(values) for count, values in rates.items()}
    ratios = [two / one for one, two in zip(rates[1], rates[2])]
    print(f"two workers are {medians[2] / medians[1]:.2f} times as fast as one "
          f"(round by round {min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip
    cost = statistics.median(costs[2]) / statistics.median(costs[1])
    print(f"a probe takes {cost:.2f} times the processor time, so two idle cores would bring {2 / cost:.2f}")


if __name__ == "__main__":
    main()
