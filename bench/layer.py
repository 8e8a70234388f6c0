#!/usr/bin/env python3
"""Measures the full-size layer and prints one JSON object.

    bench/layer.py [--build build/release] [--layer-id 10] [--no-scaling]

headline  the layer with EP 2 and 128 tokens a card: timed with the arithmetic floor, timing, and the built-in reference
targets   each target of the project, what was measured, and whether it holds
tracing   processor seconds that a timeline of the whole run adds
scaling   tokens a card 16 to 256, and EP 1 to 8, timed and timing; points that need more memory than the host has are
          listed as skipped
Every point is a process of its own. "simulation_s" is the wall time of the run itself; "wall_s" that of the whole
process with inputs; processor seconds tell more where the host is shared.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

SEQ = 2


def run(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done, wall, processor


def point(binary, **flags):
    command = [binary]
    for name, value in flags.items():
        command.append("--" + name.replace("_", "-"))
        if value is not True:
            command.append(str(value))
    done, wall, _ = run(command)
    if done.returncode != 0:
        return {"flags": command[1:], "failed": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    result = json.loads(done.stdout)
    result["wall_s"] = wall
    return result


def available_gib():
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 2**20
    return 0.0


def tracing_cost(npusim, layer_id):
    seconds = []
    with tempfile.TemporaryDirectory() as directory:
        base = [npusim, "run", "decode-layer", "--preset", "flash", "--layer-id", str(layer_id), "--ep", "2",
                "--mode", "timing", "--out", os.path.join(directory, "out")]
        for extra in ([], ["--trace", os.path.join(directory, "trace.json")]):
            done, _, processor = run(base + extra)
            if done.returncode != 0:
                return None
            seconds.append(processor)
    return seconds[1] - seconds[0]


def target(what, measured, limit, holds=None):
    if measured is None:
        return {"target": what, "measured": None, "limit": limit, "holds": None}
    return {"target": what, "measured": measured, "limit": limit,
            "holds": measured <= limit if holds is None else holds}


def targets(timed, timing, golden):
    rate = timing.get("instructions_per_s")
    golden_s = golden.get("golden_s")
    # The process that also measures the floor runs longer than a user's would.
    timed_s = timed["prepare_s"] + timed["simulation_s"] if "simulation_s" in timed else None
    return [
        target("wall of timed without golden, inputs included, s", timed_s, 15),
        target("wall of timing, s", timing.get("wall_s"), 5),
        target("peak memory of timed, GiB", timed["peak_rss_mib"] / 1024 if "peak_rss_mib" in timed else None, 6),
        target("simulator arithmetic over the floor", timed.get("arithmetic_over_floor"), 5),
        target("instructions per second in timing, at least", rate, 1e6, rate is not None and rate >= 1e6),
        target("golden over simulation", golden_s / golden["simulation_s"] if golden_s else None, 1),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release", help="build directory")
    parser.add_argument("--layer-id", type=int, default=10, help="10 is CSA, 3 HCA, 0 SWA")
    parser.add_argument("--no-scaling", action="store_true", help="the headline only")
    options = parser.parse_args()
    binary = os.path.join(options.build, "bench", "npu_bench_layer")
    common = {"layer_id": options.layer_id}

    timed = point(binary, mode="timed", floor=True, **common)
    timing = point(binary, mode="timing", **common)
    golden = point(binary, mode="timed", golden=True, **common)
    report = {"headline": {"timed": timed, "timing": timing, "golden": golden},
              "targets": targets(timed, timing, golden),
              "tracing_processor_s": tracing_cost(os.path.join(options.build, "npusim"), options.layer_id)}
    if not options.no_scaling:
        per_card = timed.get("peak_rss_mib", 0) / 1024 / 2
        scaling = []
        for flags in ([{"batch": tokens // SEQ} for tokens in (16, 32, 64, 128, 256)] +
                      [{"ep": cards} for cards in (1, 2, 4, 8)]):
            for mode in ("timed", "timing"):
                needed = per_card * flags.get("ep", 2) * max(1, flags.get("batch", 64) / 64)
                if mode == "timed" and needed > 0.9 * available_gib():
                    scaling.append({**flags, "mode": mode, "skipped": f"needs about {needed:.0f} GiB of memory"})
                else:
                    scaling.append(point(binary, mode=mode, **flags, **common))
        report["scaling"] = scaling
    json.dump(report, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
