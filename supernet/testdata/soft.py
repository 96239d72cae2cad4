#!/usr/bin/python3
"""Learning from distributions, in PyTorch: mixed and smoothed targets, a teacher, an auxiliary head.

  soft.py generate   write soft.safetensors beside this script
  soft.py verify     recompute everything from the stored inputs and compare

A student takes five steps on the same images with other targets each time. Its teacher is another
network, which wants the images otherwise normalised and smaller. Besides, images are resized to
other sides ("view/"), as interpolate does it. As in trajectory.py, all is computed in float64 and
rounded once, from images on which a float32 run agrees.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import torch
import torch.nn as nn
import torch.nn.functional as F

from parity import cell
from torchnet import Network, read_safetensors, write_safetensors
from trajectory import CONDITION, TooClose, guard_kinks, initialise, relative

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "soft.safetensors")
NET = {"ops": "lanas", "nodes": 2, "layers": 3, "channels": 4, "stem_multiplier": 4, "classes": 7,
       "affine": True, "aux": True, "aux_channels": [6, 10]}
TEACHER = dict(NET, channels=6, aux=False)
# Max pooling reads the stem alone, which is wide: where all inputs of a 1x1 convolution are cut to 0
# its outputs are equal, and a maximum of equal ones has no one gradient.
ARCH = {"space": {"ops": "lanas", "nodes": 2},
        "normal": cell("0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5"),
        "reduce": cell("0.skip_connect+1.sep_conv_3x3,1.skip_connect+2.sep_conv_3x3")}
BATCH, STEPS, SIDE, TEACHER_SIDE = 4, 5, 32, 20
LR, MOMENTUM, DECAY, CLIP = 0.01, 0.9, 3e-3, 5.0
MARGIN = 2e-6  # some times the float32 error; images further from all kinks for five steps are rare
SMOOTHING, AUX, RATIO, TEMPERATURE = 0.1, 0.4, 0.3, 4.0
MEAN, STD = (0.5, 0.45, 0.4), (0.25, 0.2, 0.3)
TEACHER_MEAN, TEACHER_STD = (0.4, 0.5, 0.55), (0.2, 0.3, 0.25)


def channels(v):
    return torch.tensor(v, dtype=torch.float64).reshape(1, 3, 1, 1)


def resize(x, side):
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)


def teach(state, x):
    """softmax(outputs / temperature) of the teacher for the student's images."""
    net = Network(TEACHER, ARCH).double()
    net.load_state_dict(state)
    pixels = x.double() * channels(STD) + channels(MEAN)
    with torch.no_grad():
        logits = net.eval()(resize((pixels - channels(TEACHER_MEAN)) / channels(TEACHER_STD), TEACHER_SIDE))[0]
    return F.softmax(logits / TEMPERATURE, 1)


def loss_of(logits, aux, targets, taught):
    """The divergence from the teacher, and its entropy, which has no gradient."""
    hard = F.cross_entropy(logits, targets, label_smoothing=SMOOTHING)
    soft = F.kl_div(F.log_softmax(logits / TEMPERATURE, 1), taught, reduction="batchmean")
    soft = soft - (taught * taught.log()).sum(1).mean()
    loss = (1 - RATIO) * hard + RATIO * TEMPERATURE**2 * soft
    return loss + AUX * F.cross_entropy(aux, targets, label_smoothing=SMOOTHING)


def run(init, x, targets, taught, dtype, guard=False):
    net = Network(NET, ARCH).to(dtype)
    net.load_state_dict(init)
    hooks = guard_kinks(net, MARGIN) if guard else []
    opt = torch.optim.SGD(net.parameters(), LR, MOMENTUM, weight_decay=DECAY)
    out, losses, norms = {}, [], []
    for t in targets:
        opt.zero_grad()
        loss = loss_of(*net(x.to(dtype)), t.to(dtype), taught.to(dtype))
        loss.backward()
        if not losses:
            out.update({"grad/" + k: p.grad.clone() for k, p in net.named_parameters()})
        losses.append(loss.item())
        norms.append(nn.utils.clip_grad_norm_(net.parameters(), CLIP).item())
        opt.step()
    for h in hooks:
        h.remove()
    out.update({"final/" + k: v for k, v in net.state_dict().items()})
    with torch.no_grad():
        out["eval/logits"] = net.eval()(x.to(dtype))[0]
    out["losses"], out["grad_norms"] = (torch.tensor(v, dtype=torch.float64) for v in (losses, norms))
    return out


def worst(have, want):
    return max(relative(have[k], want[k]) for k in want if want[k].dtype != torch.int64)


def views(r):
    out = {}
    for a, b in ((5, 8), (8, 5), (7, 3), (4, 4), (1, 3)):
        x = torch.randn(2, 3, a, a, generator=r)
        out[f"view/{a}x{b}/x"], out[f"view/{a}x{b}/y"] = x, resize(x.double(), b)
    return out


def generate():
    r = torch.Generator().manual_seed(5)
    net, teacher = Network(NET, ARCH), Network(TEACHER, ARCH)
    initialise(net, 1)
    initialise(teacher, 2)
    with torch.no_grad():  # gives it running statistics
        for _ in range(30):
            teacher(torch.randn(16, 3, TEACHER_SIDE, TEACHER_SIDE, generator=r))
    init, state = ({k: v.clone() for k, v in m.state_dict().items()} for m in (net, teacher))
    share = 0.3 + 0.7 * torch.rand(STEPS, BATCH, 1, generator=r)
    one, two = (F.one_hot(torch.randint(NET["classes"], (STEPS, BATCH), generator=r), NET["classes"]) for _ in "ab")
    targets = share * one + (1 - share) * two
    for tries in range(20000):
        x = torch.randn(BATCH, 3, SIDE, SIDE, generator=r)
        taught = teach(state, x)
        try:
            out = run(init, x, targets, taught, torch.float64, guard=True)
        except TooClose:
            continue
        error = worst(run(init, x, targets, taught, torch.float32), out)
        print(f"draw {tries + 1}: float32 is off by {error:.3g}", file=sys.stderr)
        if error <= CONDITION:
            break
    else:
        raise SystemExit("no images are well conditioned")
    print(f"images after {tries + 1} draws; the teacher's largest probabilities {taught.max(1).values.tolist()}")
    tensors = {"init/" + k: v for k, v in init.items()}
    tensors.update({"teacher/" + k: v for k, v in state.items()})
    tensors.update(out, x=x, targets=targets, taught=taught, **views(r))
    write_safetensors(GOLDEN, tensors)
    print(f"{len(tensors)} tensors, {os.path.getsize(GOLDEN)} bytes, losses {out['losses'].tolist()}")


def verify():
    stored, _ = read_safetensors(GOLDEN)
    part = lambda prefix: {k[len(prefix):]: v for k, v in stored.items() if k.startswith(prefix)}
    taught = teach(part("teacher/"), stored["x"])
    have = run(part("init/"), stored["x"], stored["targets"], taught, torch.float64)
    have["taught"] = taught
    for k, x in part("view/").items():
        if k.endswith("/x"):
            have[f"view/{k[:-2]}/y"] = resize(x.double(), int(k.split("/")[0].split("x")[1]))
    error = worst(have, {k: stored[k] for k in have})
    print(f"{len(have)} tensors, worst relative error {error:.3g}")
    if not error <= 1e-6:
        raise SystemExit("soft.safetensors does not hold what this script computes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    actions = {"generate": generate, "verify": verify}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    actions[sys.argv[1]]()
