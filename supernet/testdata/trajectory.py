"""A short training of a small network in float64: what the golden files of parity.py hold.

The golden values are computed in float64 from float32 parameters and images and rounded once, so
they are the truth and not one float32 run among many. Two things would make a right float32 run
miss them. ReLU and max pooling have kinks: an input closer to one than the float32 error gives
another, equally right, gradient. And some batches amplify rounding errors (a BN over four nearly
equal values). draw_batches takes only batches that are far from both, so that a float32 run that
misses the golden values by more than 1e-4 is wrong and not unlucky.

Images and labels are not stored but a batch's number, from which noise makes them.
"""
import json
import os
import platform
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from torchblocks import Macro
from torchcells import Bench201
from torchnet import Network, read_safetensors, write_safetensors

HERE = os.path.dirname(os.path.abspath(__file__))
MARGIN = 1e-5  # about ten times the float32 error of an activation here
NOISE, CONDITION = 1e-7, 4e-5  # relative; float32 rounds at 6e-8


def noise(seed, begin, end):
    """Numbers begin to end of a sequence of 64 random bits: SplitMix64 (Steele et al. 2014)."""
    z = np.uint64(seed) + np.arange(begin + 1, end + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Case:
    """A network, and how it is trained; the files NAME.safetensors and NAME.json are what comes of it."""

    def __init__(self, name, net, arch, train):
        self.name, self.net, self.arch, self.train = name, net, arch, train
        self.golden, self.sheet = (os.path.join(HERE, f"{name}.{end}") for end in ("safetensors", "json"))

    def batch(self, number):
        """x (N,3,H,W), of [-2,2) in steps that float32 has, and labels (N)."""
        shape = self.train["batch"], 3, self.net["image"], self.net["image"]
        pixels = int(np.prod(shape))
        z = noise(number, 0, pixels + shape[0])
        x = (z[:pixels] >> np.uint64(40)).astype(np.float64) / 2 ** 22 - 2
        labels = (z[pixels:] >> np.uint64(40)) % np.uint64(self.net["classes"])
        return torch.from_numpy(x.astype(np.float32)).reshape(shape), torch.from_numpy(labels.astype(np.int64))

    def loss(self, net, x, labels):
        logits, aux = net(x)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.train["smoothing"])
        if aux is not None:
            loss = loss + self.train["aux_weight"] * F.cross_entropy(aux, labels, label_smoothing=self.train["smoothing"])
        return logits, aux, loss


def network(case):
    """The case's network, by the kind of its space; without one it is of cells."""
    kinds = {None: Network, "nasbench-macro": Macro, "nasbench-201": Bench201}
    return kinds[case.arch["space"].get("kind")](case.net, case.arch)


class TooClose(Exception):
    """An activation lies within the margin of a kink."""


def guard_kinks(net, margin):
    """Hooks that raise TooClose; returns their handles."""
    def relu(module, args):
        if args[0].abs().min() < margin:
            raise TooClose

    def max_pool(module, args):
        x = F.pad(args[0], (1, 1, 1, 1), value=float("-inf"))
        windows = F.unfold(torch.nan_to_num(x, neginf=-1e9), 3, stride=module.stride)
        n, c = args[0].shape[:2]
        top = windows.reshape(n, c, 9, -1).topk(2, dim=2).values
        gap = top[:, :, 0] - top[:, :, 1]
        # Equal values come from pixels where a ReLU left nothing: no gradient goes past it from either.
        if ((gap > 0) & (gap < margin)).any():
            raise TooClose

    hooks = {nn.ReLU: relu, nn.MaxPool2d: max_pool}
    return [m.register_forward_pre_hook(hooks[type(m)]) for m in net.modules() if type(m) in hooks]


def initialise(net, seed):
    """Random float32-representable values; gamma about 1 and beta about 0, so nothing is symmetric."""
    r = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in net.named_parameters():
            z = torch.randn(p.shape, generator=r)
            if p.dim() > 1:
                z *= (4 / p[0].numel()) ** 0.5
            else:
                z = z * 0.2 + (1 if name.endswith("weight") else 0)
            p.copy_(z)


class Trajectory:
    """One training run: its network and optimizer. layout changes only the order of summation."""

    def __init__(self, case, init, dtype, noise=0.0, seed=0, layout=torch.contiguous_format):
        self.r = torch.Generator().manual_seed(seed)
        self.case, self.noise, self.dtype, self.layout = case, noise, dtype, layout
        self.net = network(case).to(dtype)
        self.net.load_state_dict({k: v if v.dtype == torch.int64 else self.disturb(v.to(dtype))
                                  for k, v in init.items()})
        self.opt = torch.optim.SGD(self.net.parameters(), case.train["lr"], case.train["momentum"],
                                   weight_decay=case.train["weight_decay"])

    def disturb(self, t):
        return t * (1 + self.noise * torch.randn(t.shape, generator=self.r, dtype=t.dtype))

    def backward(self, x, labels):
        """Leaves the gradients in the parameters; returns outputs and loss."""
        self.opt.zero_grad()
        x = self.disturb(x.to(self.dtype)).to(memory_format=self.layout)
        logits, aux, loss = self.case.loss(self.net, x, labels)
        loss.backward()
        return {k: v.detach() for k, v in (("logits", logits), ("aux_logits", aux)) if v is not None}, loss.item()

    def grads(self):
        return {"grad/" + name: p.grad.clone() for name, p in self.net.named_parameters()}

    def step(self):
        """Clips and updates; returns the gradient norm before clipping."""
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), self.case.train["clip"]).item()
        self.opt.step()
        return norm


def run(case, init, numbers, dtype):
    """Train from init on batches by their numbers. Returns tensors, losses and gradient norms."""
    t = Trajectory(case, init, dtype)
    out, losses, norms = {}, [], []
    for number in numbers:
        outputs, loss = t.backward(*case.batch(number))
        if not losses:
            out.update({"train/" + k: v for k, v in outputs.items()}, **t.grads())
        losses.append(loss)
        norms.append(t.step())
    out.update({"final/" + name: v for name, v in t.net.state_dict().items()})
    t.net.eval()
    with torch.no_grad():
        out["eval/logits"] = t.net(case.batch(numbers[0])[0].to(dtype))[0]
    return out, losses, norms


def draw_batches(case, init):
    """Numbers of batches on which the float64 run is well conditioned, found one after the other.

    Runs disturbed by NOISE and float32 runs in two layouts walk beside the true one; a batch is
    taken when it has no kink within MARGIN and the gradients of all runs agree within CONDITION.
    """
    true = Trajectory(case, init, torch.float64)
    beside = [Trajectory(case, init, torch.float64, NOISE, s) for s in (1, 2)]
    beside += [Trajectory(case, init, torch.float32, layout=m)
               for m in (torch.contiguous_format, torch.channels_last)]
    numbers, number = [], 0
    while len(numbers) < case.train["steps"]:
        number += 1
        if number > 20000:
            raise SystemExit(f"{case.name}: batch {len(numbers)}: none is well conditioned")
        x, labels = case.batch(number)
        before = [{k: v.clone() for k, v in t.net.state_dict().items()} for t in [true] + beside]
        if take(true, beside, x, labels):
            for t in [true] + beside:
                t.step()
            numbers.append(number)
            print(f"{case.name}: batch {len(numbers)} is number {number}", file=sys.stderr)
        else:  # the forward passes moved the running statistics
            for t, state in zip([true] + beside, before):
                t.net.load_state_dict(state)
    return numbers


def take(true, beside, x, labels):
    hooks = guard_kinks(true.net, MARGIN)
    try:
        with torch.no_grad():
            true.net(x.double())
    except TooClose:
        return False
    finally:
        for h in hooks:
            h.remove()
    true.backward(x, labels)
    want = true.grads()
    for t in beside:
        t.backward(x, labels)
        if not worst(t.grads(), want, "grad/")["error"] <= CONDITION:
            return False
    return True


def relative(have, want):
    """max |have - want| / max |want|; NaN where either has one."""
    have, want = have.double(), want.double()
    scale = want.abs().max().item() or 1.0
    return (have - want).abs().max().item() / scale


def worst(have, want, prefix):
    """A tensor whose true values are 0, of which rounding errors are left, is compared with the largest of
    all: the gradient of a shift that the next normalisation takes away again."""
    largest = max(want[k].abs().max().item() for k in want if k.startswith(prefix))
    nothing = {k for k in want if k.startswith(prefix) and want[k].abs().max().item() < 1e-10 * largest}
    errors = {k: (have[k].double() - want[k].double()).abs().max().item() / largest if k in nothing
              else relative(have[k], want[k]) for k in want if k.startswith(prefix)}
    name = max(errors, key=lambda k: errors[k] if errors[k] == errors[k] else float("inf"))
    return {"error": float(f"{errors[name]:.3g}"), "tensor": name}


def compare(have, want):
    """Worst relative error of each group, (tensors, losses, norms) against the same."""
    groups = ["train/logits", "train/aux_logits", "grad/", "final/", "eval/logits"]
    report = {g: worst(have[0], want[0], g) for g in groups if any(k.startswith(g) for k in want[0])}
    for name, i in (("losses", 1), ("grad_norms", 2)):
        a, b = (torch.tensor(r[i], dtype=torch.float64) for r in (have, want))
        report[name] = {"error": float(f"{((a - b) / b).abs().max().item():.3g}")}
    return report


def slope(case):
    """Relative error of the gradient along a random direction against a finite difference of the loss, on
    the first golden batch: of it no activation lies near a kink."""
    t = Trajectory(case, start(case), torch.float64)
    with open(case.sheet) as f:
        x, labels = case.batch(json.load(f)["batches"][0])
    t.backward(x, labels)
    r = torch.Generator().manual_seed(1)
    along = [torch.randn(p.shape, generator=r, dtype=p.dtype) for p in t.net.parameters()]
    want = sum((p.grad * v).sum().item() for p, v in zip(t.net.parameters(), along))
    losses, width = [], 1e-7
    with torch.no_grad():
        for side in (1, -2):
            for p, v in zip(t.net.parameters(), along):
                p.add_(v, alpha=side * width)
            losses.append(case.loss(t.net, x.double(), labels)[2].item())
    return abs((losses[0] - losses[1]) / (2 * width) - want) / abs(want)


def start(case):
    """Parameters and running statistics before the first step."""
    net = network(case)
    initialise(net, 1)
    return {k: v.clone() for k, v in net.state_dict().items()}


def generate(case):
    init = start(case)
    # PyTorch 1.13's oneDNN writes past its memory where a channels_last image has few channels.
    with torch.backends.mkldnn.flags(enabled=False):
        numbers = draw_batches(case, init)
    truth, again = (run(case, init, numbers, torch.float64) for _ in range(2))
    for k in truth[0]:
        if not torch.equal(truth[0][k], again[0][k]):
            raise SystemExit(f"{case.name}: not deterministic: {k}")
    write_safetensors(case.golden, {**{"init/" + k: v for k, v in init.items()}, **truth[0]})
    sheet = {
        "net": case.net, "arch": case.arch, "train": case.train, "batches": numbers,
        "losses": truth[1], "grad_norms": truth[2],
        "kink_margin": MARGIN, "noise": NOISE, "condition": CONDITION,
        "torch_float32_against_golden": compare(run(case, init, numbers, torch.float32), truth),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "command": f"/usr/bin/python3 supernet/testdata/parity.py generate {case.name}",
    }
    with open(case.sheet, "w") as f:
        f.write(json.dumps(sheet, indent=1) + "\n")
    print(json.dumps({k: sheet[k] for k in ("losses", "grad_norms", "torch_float32_against_golden")}, indent=1))


def verify(case):
    """Recomputes a golden file and prints the worst errors."""
    stored, _ = read_safetensors(case.golden)
    with open(case.sheet) as f:
        sheet = json.load(f)
    if (sheet["net"], sheet["arch"], sheet["train"]) != (case.net, case.arch, case.train):
        raise SystemExit(f"{case.sheet} is of another configuration: generate again")
    init = {k[len("init/"):]: v for k, v in stored.items() if k.startswith("init/")}
    have = run(case, init, sheet["batches"], torch.float64)
    report = compare(have, (stored, sheet["losses"], sheet["grad_norms"]))
    print(case.name, json.dumps({k: r["error"] for k, r in report.items()}))
    if not all(r["error"] <= 1e-6 for r in report.values()):
        raise SystemExit(f"{case.golden} does not hold what this script computes: {json.dumps(report)}")
