#!/usr/bin/python3
"""Steps of torch's optimizers in float64, for package ops.

  optim_golden.py generate    write optim_golden.safetensors beside this script
  optim_golden.py verify      recompute and compare

Case "sgd" holds, all float32:
  sgd/w        (N) two parameters, one behind the other, the first of FIRST values
  sgd/grads    (STEPS,N) the gradients; NaN where a parameter takes no part in a step
  sgd/lr       (STEPS) learning rates
  sgd/after    (STEPS,N) the parameters after each step
A parameter that takes no part has grad None, as in a supernet whose path leaves it out.
"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "supernet", "testdata"))

import torch

from parity import relative
from torchnet import read_safetensors, write_safetensors

GOLDEN = os.path.join(HERE, "optim_golden.safetensors")
N, FIRST, STEPS = 37, 21, 6
CASES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.1),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.1, nesterov=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1, betas=(0.9, 0.99), eps=1e-6, weight_decay=0.1),
    "adamw_beta0": lambda p: torch.optim.AdamW(p, lr=1, betas=(0, 0.999), eps=1e-8, weight_decay=0),
    "sgd_plain": lambda p: torch.optim.SGD(p, lr=1),
}


def compute():
    out = {}
    for k, (name, make) in enumerate(CASES.items()):
        r = torch.Generator().manual_seed(k)
        values = lambda *shape: torch.randn(*shape, generator=r).double()
        w, grads = values(N), values(STEPS, N)
        lrs = (0.01 + 0.1 * torch.rand(STEPS, generator=r)).double()
        a, b = w[:FIRST].clone(), w[FIRST:].clone()
        optimizer = make([a, b])
        after = []
        for s in range(STEPS):
            a.grad, b.grad = grads[s, :FIRST].clone(), grads[s, FIRST:].clone()
            if s in (1, 4):
                b.grad = None
                grads[s, FIRST:] = float("nan")
            optimizer.param_groups[0]["lr"] = lrs[s].item()
            optimizer.step()
            after.append(torch.cat([a, b]))
        out.update({f"{name}/w": w, f"{name}/grads": grads, f"{name}/lr": lrs, f"{name}/after": torch.stack(after)})
    return out


def verify():
    stored, _ = read_safetensors(GOLDEN)
    fresh = compute()
    if stored.keys() != fresh.keys():
        raise SystemExit(f"{GOLDEN} has other cases than this script")
    worst = max(relative(stored[k].double().nan_to_num(), fresh[k].nan_to_num()) for k in stored)
    print(f"{len(stored)} tensors, worst relative error {worst:.3g}")
    if not worst <= 1e-6:
        raise SystemExit("optim_golden.safetensors does not hold what this script computes")


if __name__ == "__main__":
    if sys.argv[1:] == ["generate"]:
        write_safetensors(GOLDEN, compute())
    elif sys.argv[1:] == ["verify"]:
        verify()
    else:
        raise SystemExit(__doc__)
