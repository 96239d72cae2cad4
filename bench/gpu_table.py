#!/usr/bin/env python3
"""The table of gpu-check.sh from the JSON lines in its logs: gpu_table.py FOLDER."""
import json
import pathlib
import sys


def lines(path):
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("{"):
            yield json.loads(line)


def main():
    out = pathlib.Path(sys.argv[1])
    ours = {name: next(lines(out / f"{name}.log"), {}) for name in ("step", "score", "retrain")}
    for space in ("nasbench-macro", "nasbench-201"):  # which no peer has here
        for job in ("step", "score"):
            ours[f"{job}-{space}"] = next(lines(out / f"{job}-{space}.log"), {})
    peers = {}
    for row in lines(out / "peer.log"):
        peers.setdefault(row["bench"], []).append(row)
    print(f"{'job':20} {'oneshot':>12} {'PyTorch':>12} {'ratio':>7}  how")
    for name, row in ours.items():
        mine = row.get("ms_per_step_median") or row.get("ms_per_score_median")
        for peer in peers.get(name, [{}]):
            theirs = peer.get("ms_median")
            ratio = f"{theirs / mine:6.2f}x" if mine and theirs else ""
            text = [f"{v:9.2f} ms" if v else "-" for v in (mine, theirs)]
            print(f"{name:20} {text[0]:>12} {text[1]:>12} {ratio:>7}  {peer.get('how', '')}{peer.get('error', '')}")
    for row in peers.get("ceilings", ()):
        print(f"ceilings: copy {row['copy_gb_per_s']:.0f} GB/s, bf16 {row['bf16_tflop_per_s']:.0f} TFLOP/s, {row['device']}, torch {row['torch']}")


if __name__ == "__main__":
    main()
