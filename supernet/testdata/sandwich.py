#!/usr/bin/python3
"""A step on several paths of a small NAS-Bench-Macro supernet, in PyTorch: the gradient of their losses'
sum, with in-place distillation (arXiv 1903.05134), with a pairwise ranking loss, and with both.

  sandwich.py generate   write sandwich.safetensors beside this script
  sandwich.py verify     recompute everything from the stored inputs and compare

The paths share their parameters, as in the supernet: autograd adds up what each leaves. The largest
learns from the labels. The second and third learn from the labels too or, distilled, from what the
largest puts out, which has no gradient. The ranking loss is weight * max(0, difference - margin) of the
second's and third's losses, in the order that is wrong here. As in trajectory.py, all is computed in
float64 and rounded once, from images on which a float32 run agrees.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import torch
import torch.nn.functional as F
from torch.nn.utils.stateless import functional_call

from torchblocks import Macro
from torchnet import read_safetensors, write_safetensors
from trajectory import CONDITION, TooClose, guard_kinks, initialise, relative

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sandwich.safetensors")
NET = {"channels": 4, "classes": 7, "affine": True}
NAMES = ("identity", "mbconv_e3_k3", "mbconv_e6_k5")
PATHS = ("22222222", "00000000", "12021012")
BATCH, SIDE = 4, 16
SMOOTHING, WEIGHT, MARGIN_SHARE = 0.1, 0.5, 0.25
MARGIN = 2e-6  # to kinks, some times the float32 error
# What batch normalisation adds to a channel is taken out again by the next one where only a convolution lies between:
# such gradients are 0 but for rounding, and left out.
ZERO = 1e-9


def network(text):
    return Macro(NET, {"layers": [NAMES[int(d)] for d in text]})


def supernet():
    """The parameters of all candidates by name, drawn."""
    out = {}
    for seed, digit in enumerate("012"):
        net = network(digit * 8)
        initialise(net, seed + 1)
        out.update({k: v.detach().clone() for k, v in net.state_dict().items() if k not in out})
    return out


def losses(state, x, labels, distill, guard=False):
    """The loss of each path, of parameters that are leaves."""
    taught, out = None, []
    for text in PATHS:
        net = network(text).to(x.dtype).train()
        hooks = guard_kinks(net, MARGIN) if guard else []
        own = {k: state[k] if state[k].requires_grad else state[k].clone() for k in net.state_dict()}  # statistics are each path's
        logits = functional_call(net, own, x)[0]
        for h in hooks:
            h.remove()
        if taught is None or not distill:
            out.append(F.cross_entropy(logits, labels, label_smoothing=SMOOTHING))
        else:
            out.append(F.cross_entropy(logits, taught))
        if taught is None:
            taught = F.softmax(logits.detach(), 1)
    return out


def run(init, x, labels, margin, dtype, guard=False):
    """margin: of the ranking loss, without distillation and with it; None chooses them."""
    out, chosen = {}, []
    for i, distill in enumerate((False, True)):
        for rank in (False, True):
            state = {k: v.to(dtype).clone() if v.is_floating_point() else v for k, v in init.items()}
            for k, v in state.items():
                v.requires_grad_(v.is_floating_point() and "running" not in k)
            ls = losses(state, x.to(dtype), labels, distill, guard)
            between = ls[1] - ls[2] if ls[1] > ls[2] else ls[2] - ls[1]
            if len(chosen) == i:
                chosen.append(float((MARGIN_SHARE * between).detach().float()) if margin is None else float(margin[i]))
            total = sum(ls)
            if rank:
                total = total + WEIGHT * F.relu(between - chosen[i])
            total.backward()
            case = ("distilled" if distill else "labels") + ("/ranked/" if rank else "/plain/")
            out.update({case + "grad/" + k: v.grad for k, v in state.items() if v.grad is not None and v.grad.abs().max() > ZERO})
            out[case + "losses"] = torch.stack([l.detach() for l in ls])
    out["margins"] = torch.tensor(chosen, dtype=torch.float64)
    return out


def worst(have, want):
    return max(relative(have[k], want[k]) for k in want)


def generate():
    r = torch.Generator().manual_seed(9)
    init = supernet()
    labels = torch.randint(NET["classes"], (BATCH,), generator=r)
    for tries in range(2000):
        x = torch.randn(BATCH, 3, SIDE, SIDE, generator=r)
        try:
            out = run(init, x, labels, None, torch.float64, guard=True)
        except TooClose:
            continue
        error = worst(run(init, x, labels, out["margins"], torch.float32), out)
        print(f"draw {tries + 1}: float32 is off by {error:.3g}", file=sys.stderr)
        if error <= CONDITION:
            break
    else:
        raise SystemExit("no images are well conditioned")
    tensors = {"init/" + k: v for k, v in init.items()}
    tensors.update(out, x=x, labels=labels)
    write_safetensors(GOLDEN, tensors)
    print(f"{len(tensors)} tensors, {os.path.getsize(GOLDEN)} bytes, images after {tries + 1} draws, losses {out['distilled/plain/losses'].tolist()}")


def verify():
    stored, _ = read_safetensors(GOLDEN)
    init = {k[len("init/"):]: v for k, v in stored.items() if k.startswith("init/")}
    have = run(init, stored["x"], stored["labels"], stored["margins"], torch.float64)
    error = worst(have, {k: stored[k] for k in have})
    print(f"{len(have)} tensors, worst relative error {error:.3g}")
    if not error <= 1e-6:
        raise SystemExit("sandwich.safetensors does not hold what this script computes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    actions = {"generate": generate, "verify": verify}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    actions[sys.argv[1]]()
