"""A golden file as the scripts beside it write and verify it: JSON, compressed to the same bytes each time."""
import gzip
import json
import os
import sys


def main(script, doc, compute, peer, summary):
    """Runs `script generate` or `script verify`, and exits. compute() is what the golden file beside the
    script holds, as JSON has it; peer is what computes it, and summary(golden) says what was verified."""
    if len(sys.argv) != 2 or sys.argv[1] not in ("generate", "verify"):
        sys.exit(doc)
    script = os.path.abspath(script)
    name, path = os.path.basename(script)[:-len(".py")], script[:-len(".py")] + ".json.gz"
    golden = compute()
    if sys.argv[1] == "generate":
        with open(path, "wb") as f:
            f.write(gzip.compress(json.dumps(golden, separators=(",", ":")).encode(), 9, mtime=0))
        return
    with gzip.open(path) as f:
        stored = json.load(f)
    bad = [k for k in sorted(set(stored) | set(golden)) if stored.get(k) != golden.get(k)]
    for k in bad:
        print(f"{name}: {k} differ from what {peer} computes")
    if bad:
        sys.exit(1)
    print(f"{name}: {summary(golden)} verified")
