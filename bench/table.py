#!/usr/bin/python3
"""Tables from the JSON lines of compare.sh.

    table.py best FILE       for each job the fastest setting of PyTorch: job isa malloc layout
    table.py compare FILE    medians over the rounds, and their ratios; fails if the work differs
"""
import json
import statistics
import sys


def read(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def milliseconds(row):
    """Of a whole job; ops counts the sum of its cases."""
    if row["bench"] == "ops":
        return sum(case["ms_median"] for case in row["cases"])
    return row["ms_per_step_median"]


def best(rows):
    for job in dict.fromkeys(row["bench"] for row in rows):
        row = min((r for r in rows if r["bench"] == job), key=milliseconds)
        print(job, row["aten_cpu_capability"], row["malloc"], row["layout"])


def cases(row):
    """The separable convolutions of a run of ops, by name."""
    return {f"{c['op']} {c['shape']}": c["ms_median"] for c in row["cases"]}


def setting(row):
    return f"{row['aten_cpu_capability']} {row['malloc']} {row['layout']}"


def compare(rows):
    version = next(r for r in rows if r["who"] == "version")
    ours = [r for r in rows if r["who"] == "oneshot"]
    theirs = [r for r in rows if r["who"] == "torch"]
    machine = next((r for r in ours if "cpu" in r), {})
    print(f"machine  {machine.get('cpu', '?')}, {machine.get('threads', '?')} threads, {machine.get('isa', '?')}")
    print(f"oneshot  {version['version']} ({version['revision']}, {version['go']}); torch {theirs[0]['torch']}")
    print(f"rounds   {max(r['round'] for r in ours)}, medians of them; ratio above 1: oneshot is faster\n")
    print(f"{'job':32} {'oneshot':>18} {'torch':>18} {'ratio':>6} {'in rounds':>11}  {'torch with'}")
    faults = []
    for job in dict.fromkeys(r["bench"] for r in ours):
        a = [r for r in ours if r["bench"] == job]
        b = [r for r in theirs if r["bench"] == job]
        if job == "ops":
            for name in cases(b[0]):
                line(name, "ms", [cases(r)[name] for r in a], [cases(r)[name] for r in b], setting(b[0]), lower=True)
            continue
        for x in a:
            for y in b:
                if not abs(x["madds_per_image"] - y["madds_per_image"]) <= 1e-3 * y["madds_per_image"]:
                    faults.append(f"{job}: {x['madds_per_image']} multiply-adds an image, torch {y['madds_per_image']}")
                if (x["batch"], x["params"]) != (y["batch"], y["params"]):
                    faults.append(f"{job}: batch {x['batch']} and {x['params']} parameters, torch {y['batch']} and {y['params']}")
        key = "images_per_s_median"
        line(f"{job} batch {a[0]['batch']}", "img/s", [r[key] for r in a], [r[key] for r in b], setting(b[0]))
        key = "peak_rss_mb"
        line(f"{job} memory", "MB", [r[key] for r in a], [r[key] for r in b], setting(b[0]), lower=True)
    for fault in sorted(set(faults)):
        print(f"table: the work differs: {fault}", file=sys.stderr)
    return 1 if faults else 0


def line(name, unit, a, b, torch, lower=False):
    ratios = [y / x if lower else x / y for x, y in zip(a, b)]
    spread = f"{min(ratios):.2f}..{max(ratios):.2f}"
    print(f"{name:32} {statistics.median(a):12.2f} {unit:5} {statistics.median(b):12.2f} {unit:5} "
          f"{statistics.median(ratios):6.2f} {spread:>11}  {torch}")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("best", "compare"):
        sys.exit(__doc__)
    sys.exit({"best": best, "compare": compare}[sys.argv[1]](read(sys.argv[2])))
