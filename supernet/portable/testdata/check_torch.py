#!/usr/bin/python3
"""Exported modules against the logits of oneshot's engine: check_torch.py FOLDER...

Each folder has model.py, model.safetensors, and case.safetensors with x (N,3,H,W) and logits. Prints the
relative difference of each; the exit status is 1 if one is over 1e-5, a wrong weight makes no difference, or the
module cannot be trained.
"""
import importlib.util
import os
import sys

sys.dont_write_bytecode = True

import torch
from torch.nn import functional


def load(folder):
    spec = importlib.util.spec_from_file_location("model", os.path.join(folder, "model.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def distance(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


def check(folder):
    model = load(folder)
    network = model.load(os.path.join(folder, "model.safetensors"))
    case = model.read_safetensors(os.path.join(folder, "case.safetensors"))
    with torch.no_grad():
        logits = network(case["x"])
    far = distance(logits, case["logits"])
    same = bool((logits.argmax(1) == case["logits"].argmax(1)).all())

    # What a whole network shows must not survive one wrong weight.
    with torch.no_grad():
        weight = next(p for n, p in network.named_parameters() if n.endswith("conv.weight") or n.endswith("conv1.weight"))
        weight[0] *= 1.01
        noticed = "filter" if distance(network(case["x"]), case["logits"]) > 1e-5 else ""
        if not noticed:  # a deep network may not show one: then a wrong layer must be
            weight *= 1.5
            noticed = "layer" if distance(network(case["x"]), case["logits"]) > 1e-5 else ""

    # It is a start for fine-tuning: every parameter has a gradient, every statistic moves.
    network.train()
    before = {n: v.clone() for n, v in network.named_buffers()}
    functional.cross_entropy(network(case["x"]), torch.arange(len(case["x"])) % len(model.CLASSES)).backward()
    still = [n for n, p in network.named_parameters() if p.grad is None] + [n for n, v in network.named_buffers() if torch.equal(v, before[n])]
    print(f"{os.path.basename(folder):36} {far:.1e}  same classes {same}, noticed: a wrong {noticed or 'NOTHING'}, "
          f"{len(network.state_dict())} tensors, left out by training: {still or 'none'}")
    return far, far <= 1e-5 and same and bool(noticed) and not still


if __name__ == "__main__":
    checked = [check(f) for f in sys.argv[1:]]
    print(f"PyTorch: the largest relative difference of {len(checked)} networks is {max(far for far, _ in checked):.1e}")
    sys.exit(0 if all(good for _, good in checked) else 1)
