"""Writes golden.json: what scipy says of drawn measures, with and without ties.

    python3 golden.py          write it
    python3 golden.py verify   compare it with what scipy says now
"""
import json
import pathlib
import sys

import numpy as np
from scipy import stats

cases = []
r = np.random.default_rng(17)
for n, values in [(3, 0), (4, 2), (5, 3), (10, 0), (11, 4), (50, 0), (50, 5), (200, 12), (333, 0), (333, 40)]:
    z = r.normal(size=n)
    x, y = z + 0.5 * r.normal(size=n), z + r.normal(size=n)
    if values:
        x, y, z = [np.floor(values * stats.norm.cdf(v)) for v in (x, y, z)]
    xy, xz, yz = [stats.kendalltau(a, b).statistic for a, b in ((x, y), (x, z), (y, z))]
    rest = np.sqrt((1 - xz**2) * (1 - yz**2))
    number = lambda v: None if not np.isfinite(v) else float(v)
    cases.append({"x": x.tolist(), "y": y.tolist(), "z": z.tolist(), "tau": number(xy),
                  "spearman": number(stats.spearmanr(x, y).statistic),
                  "partial": number((xy - xz * yz) / rest) if rest > 0 else None})

# The percentile bootstrap by another program, of the two largest.
for c in cases[-2:]:
    x, y = np.array(c["x"]), np.array(c["y"])
    draws = [stats.kendalltau(x[i], y[i]).statistic for i in r.integers(len(x), size=(4000, len(x)))]
    c["interval"] = np.percentile(draws, [2.5, 97.5]).tolist()
path = pathlib.Path(__file__).with_name("golden.json")
if sys.argv[1:] != ["verify"]:
    path.write_text(json.dumps(cases) + "\n")
    sys.exit()
stored = json.loads(path.read_text())
near = lambda a, b, tol: a == b if a is None or b is None else abs(a - b) <= tol
for was, now in zip(stored, cases, strict=True):
    for key in ("tau", "spearman", "partial"):
        assert near(was[key], now[key], 1e-12), (key, was[key], now[key])
    for key in ("x", "y", "z", "interval"):
        assert np.allclose(was.get(key, []), now.get(key, []), rtol=0, atol=1e-12), key
print(f"golden.json: {len(cases)} cases are scipy's")
