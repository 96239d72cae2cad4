#!/usr/bin/python3
"""Parity of oneshot with PyTorch: the golden file, and a check of exported models.

  parity.py generate              write parity.safetensors and parity.json beside this script
  parity.py verify                recompute everything from the stored inputs and compare
  parity.py check DIR             DIR holds model.safetensors and arch.json (and input.safetensors)
  parity.py check MODEL ARCH [INPUT]
  parity.py selftest              prove that check accepts a good export and refuses broken ones

check rebuilds the extracted network from the file's metadata, loads it strictly by name and, given
INPUT (x (N,3,H,W) normalised, logits (N,classes)), compares the logits; it exits with 1 above 1e-4.

The golden values are computed in float64 from float32 parameters and images and rounded once, so
they are the truth and not one float32 run among many. Two things would make a right float32 run
miss them. ReLU and max pooling have kinks: an input closer to one than the float32 error gives
another, equally right, gradient. And some batches amplify rounding errors (a BN over four nearly
equal values). draw_batches takes only batches that are far from both, so that a float32 run that
misses the golden values by more than 1e-4 is wrong and not unlucky.
"""
import json
import os
import platform
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import torch
import torch.nn as nn
import torch.nn.functional as F

from torchnet import Network, read_safetensors, write_safetensors

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "parity.safetensors")
SHEET = os.path.join(HERE, "parity.json")
TOLERANCE = 1e-4
MARGIN = 1e-5  # about ten times the float32 error of an activation here
NOISE, CONDITION = 1e-7, 4e-5  # relative; float32 rounds at 6e-8

NET = {"ops": "full", "nodes": 5, "layers": 3, "channels": 4, "stem_multiplier": 3, "classes": 10,
       "image": 32, "affine": True, "aux": True, "aux_channels": [8, 12]}
# A small rate keeps float32 runs together for ten steps; a large decay makes its own error visible.
TRAIN = {"batch": 4, "steps": 10, "lr": 0.01, "momentum": 0.9, "weight_decay": 3e-3, "clip": 5.0,
         "smoothing": 0.1, "aux_weight": 0.4}


def cell(text):
    """Text such as "0.skip_connect+1.max_pool_3x3,..." to the JSON form of a cell."""
    return [[{"edge": int(e), "op": op} for e, op in (p.split(".") for p in node.split("+"))]
            for node in text.split(",")]


# Every operation of the set occurs without stride (normal) and with stride 2 (reduce, edges 0, 1);
# one node reads the same edge twice; every state is read.
ARCH = {
    "space": {"ops": "full", "nodes": 5},
    "normal": cell("0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5,"
                   "1.avg_pool_3x3+3.dil_conv_3x3,2.dil_conv_5x5+4.sep_conv_7x7,"
                   "5.max_pool_3x3+5.skip_connect"),
    "reduce": cell("0.max_pool_3x3+1.sep_conv_7x7,0.skip_connect+1.sep_conv_3x3,"
                   "0.sep_conv_5x5+1.avg_pool_3x3,0.dil_conv_3x3+1.dil_conv_5x5,"
                   "2.skip_connect+4.sep_conv_3x3"),
}


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
        if (top[:, :, 0] - top[:, :, 1]).min() < margin:
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


def loss_of(net, x, labels):
    logits, aux = net(x)
    loss = F.cross_entropy(logits, labels, label_smoothing=TRAIN["smoothing"])
    loss = loss + TRAIN["aux_weight"] * F.cross_entropy(aux, labels, label_smoothing=TRAIN["smoothing"])
    return logits, aux, loss


class Trajectory:
    """One training run: its network and optimizer. layout changes only the order of summation."""

    def __init__(self, init, dtype, noise=0.0, seed=0, layout=torch.contiguous_format):
        self.r = torch.Generator().manual_seed(seed)
        self.noise, self.dtype, self.layout = noise, dtype, layout
        self.net = Network(NET, ARCH).to(dtype)
        self.net.load_state_dict({k: v if v.dtype == torch.int64 else self.disturb(v.to(dtype))
                                  for k, v in init.items()})
        self.opt = torch.optim.SGD(self.net.parameters(), TRAIN["lr"], TRAIN["momentum"],
                                   weight_decay=TRAIN["weight_decay"])

    def disturb(self, t):
        return t * (1 + self.noise * torch.randn(t.shape, generator=self.r, dtype=t.dtype))

    def backward(self, x, labels):
        """Leaves the gradients in the parameters; returns logits, aux logits and loss."""
        self.opt.zero_grad()
        x = self.disturb(x.to(self.dtype)).to(memory_format=self.layout)
        logits, aux, loss = loss_of(self.net, x, labels)
        loss.backward()
        return logits.detach(), aux.detach(), loss.item()

    def grads(self):
        return {"grad/" + name: p.grad.clone() for name, p in self.net.named_parameters()}

    def step(self):
        """Clips and updates; returns the gradient norm before clipping."""
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), TRAIN["clip"]).item()
        self.opt.step()
        return norm


def run(init, batches, dtype):
    """Train from init on batches of (x, labels). Returns tensors, losses and gradient norms."""
    t = Trajectory(init, dtype)
    out, losses, norms = {}, [], []
    for x, labels in batches:
        logits, aux, loss = t.backward(x, labels)
        if not losses:
            out.update({"train/logits": logits, "train/aux_logits": aux}, **t.grads())
        losses.append(loss)
        norms.append(t.step())
    out.update({"final/" + name: v for name, v in t.net.state_dict().items()})
    t.net.eval()
    with torch.no_grad():
        out["eval/logits"] = t.net(batches[0][0].to(dtype))[0]
    return out, losses, norms


def draw_batches(init, seed):
    """Batches on which the float64 run is well conditioned, drawn one after the other.

    Runs disturbed by NOISE and float32 runs in two layouts walk beside the true one; a batch is
    taken when it has no kink within MARGIN and the gradients of all runs agree within CONDITION.
    """
    r = torch.Generator().manual_seed(seed)
    true = Trajectory(init, torch.float64)
    beside = [Trajectory(init, torch.float64, NOISE, s) for s in (1, 2)]
    beside += [Trajectory(init, torch.float32, layout=m)
               for m in (torch.contiguous_format, torch.channels_last)]
    batches, tries = [], 0
    while len(batches) < TRAIN["steps"]:
        tries += 1
        if tries > 20000:
            raise SystemExit(f"batch {len(batches)}: none is well conditioned")
        x = torch.randn(TRAIN["batch"], 3, NET["image"], NET["image"], generator=r)
        labels = torch.randint(NET["classes"], (TRAIN["batch"],), generator=r)
        before = [{k: v.clone() for k, v in t.net.state_dict().items()} for t in [true] + beside]
        if take(true, beside, x, labels):
            for t in [true] + beside:
                t.step()
            batches.append((x, labels))
            print(f"batch {len(batches)} after {tries} draws", file=sys.stderr)
        else:  # the forward passes moved the running statistics
            for t, state in zip([true] + beside, before):
                t.net.load_state_dict(state)
    return batches


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
    errors = {k: relative(have[k], want[k]) for k in want if k.startswith(prefix)}
    name = max(errors, key=lambda k: errors[k] if errors[k] == errors[k] else float("inf"))
    return {"error": float(f"{errors[name]:.3g}"), "tensor": name}


def compare(have, want):
    """Worst relative error of each group, (tensors, losses, norms) against the same."""
    report = {p: worst(have[0], want[0], p) for p in
              ("train/logits", "train/aux_logits", "grad/", "final/", "eval/logits")}
    for name, i in (("losses", 1), ("grad_norms", 2)):
        a, b = (torch.tensor(r[i], dtype=torch.float64) for r in (have, want))
        report[name] = {"error": float(f"{((a - b) / b).abs().max().item():.3g}")}
    return report


def generate():
    net = Network(NET, ARCH)
    initialise(net, 1)
    init = {k: v.clone() for k, v in net.state_dict().items()}
    given = draw_batches(init, 2)
    truth, again = (run(init, given, torch.float64) for _ in range(2))
    for k in truth[0]:
        if not torch.equal(truth[0][k], again[0][k]):
            raise SystemExit(f"not deterministic: {k}")
    tensors = {"init/" + k: v for k, v in init.items()}
    tensors["x"] = torch.stack([x for x, _ in given])
    tensors["labels"] = torch.stack([labels for _, labels in given])
    tensors.update(truth[0])
    write_safetensors(GOLDEN, tensors)
    sheet = {
        "net": NET, "arch": ARCH, "train": TRAIN,
        "losses": truth[1], "grad_norms": truth[2],
        "kink_margin": MARGIN, "noise": NOISE, "condition": CONDITION,
        "torch_float32_against_golden": compare(run(init, given, torch.float32), truth),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "command": "/usr/bin/python3 supernet/testdata/parity.py generate",
    }
    with open(SHEET, "w") as f:
        f.write(json.dumps(sheet, indent=1) + "\n")
    print(json.dumps({k: sheet[k] for k in ("losses", "grad_norms", "torch_float32_against_golden")}, indent=1))


def verify():
    stored, _ = read_safetensors(GOLDEN)
    with open(SHEET) as f:
        sheet = json.load(f)
    if (sheet["net"], sheet["arch"], sheet["train"]) != (NET, ARCH, TRAIN):
        raise SystemExit("parity.json is of another configuration: generate again")
    init = {k[len("init/"):]: v for k, v in stored.items() if k.startswith("init/")}
    batches = list(zip(stored["x"], stored["labels"]))
    report = compare(run(init, batches, torch.float64), (stored, sheet["losses"], sheet["grad_norms"]))
    print(json.dumps(report, indent=1))
    if not all(r["error"] <= 1e-6 for r in report.values()):
        raise SystemExit("parity.safetensors does not hold what this script computes")


def parse_arch(text):
    """The text form, "lanas5:NORMAL:REDUCE", to the JSON form."""
    name, normal, reduce = text.split(":")
    ops, nodes = re.fullmatch(r"([a-z]+)([0-9]+)", name).groups()
    arch = {"space": {"ops": ops, "nodes": int(nodes)}}
    for kind, text in (("normal", normal), ("reduce", reduce)):
        pairs, _, output = text.partition("/")
        arch[kind] = cell(pairs)
        if output:
            arch[kind + "_output"] = [int(s) for s in output.split(".")]
    return arch


def load_export(model, arch_file):
    """The exported network in eval mode, float64; raises on any name or shape that does not fit."""
    tensors, metadata = read_safetensors(model)
    if metadata.get("format") != "pt":
        raise ValueError(f"{model}: format {metadata.get('format')}, want pt")
    net = json.loads(metadata["oneshot"])
    arch = parse_arch(net["arch"])
    with open(arch_file) as f:
        if json.load(f) != arch:
            raise ValueError(f"{arch_file} is another architecture than {model}")
    net.update(arch["space"], classes=len(net["classes"]))
    network = Network(net, arch)
    # Parts that cannot reach the output may be in the file or not; any other name is an error.
    unpruned = Network(net, arch, prune=False).state_dict()
    want = set(network.state_dict())
    dead = {k for k in tensors if k in unpruned and k not in want and tensors[k].shape == unpruned[k].shape}
    network.load_state_dict({k: v for k, v in tensors.items() if k not in dead}, strict=True)
    print(f"{model}: {len(tensors)} tensors, {len(dead)} of dead parts, "
          f"{sum(p.numel() for p in network.parameters())} live parameters")
    return network.double().eval(), net


def check(model, arch_file, input_file=None):
    network, net = load_export(model, arch_file)
    if input_file is None:
        print("loaded; no input file, so no logits compared")
        return True
    given, _ = read_safetensors(input_file)
    with torch.no_grad():
        want = network(given["x"].double())[0]
    have = given["logits"].double()
    if have.shape != want.shape:
        print(f"logits {tuple(have.shape)}, want {tuple(want.shape)}")
        return False
    error = relative(have, want)
    print(f"logits {tuple(want.shape)}: max abs error {(have - want).abs().max().item():.3g}, "
          f"relative {error:.3g} (of max |logit| {want.abs().max().item():.3g})")
    return error <= TOLERANCE


def selftest():
    """The golden's final network as an export: check passes it, and refuses three broken twins."""
    stored, _ = read_safetensors(GOLDEN)
    final = {k[len("final/"):]: v for k, v in stored.items() if k.startswith("final/")}
    model = {k: v for k, v in final.items() if not k.startswith("aux.")}
    given = {"x": stored["x"][0], "logits": stored["eval/logits"]}
    nodes = lambda c: ",".join("+".join(f"{p['edge']}.{p['op']}" for p in n) for n in c)
    about = {k: NET[k] for k in ("layers", "channels", "stem_multiplier", "image", "affine")}
    about["classes"] = [str(i) for i in range(NET["classes"])]
    about["arch"] = f"{NET['ops']}{NET['nodes']}:{nodes(ARCH['normal'])}:{nodes(ARCH['reduce'])}"

    def broken(tensors, name, change):
        twin = dict(tensors)
        twin[name] = change(twin[name].clone())
        return twin

    cases = {
        "good": (model, given, True),
        "changed weight": (broken(model, "cells.2.pre0.conv1.weight", lambda t: t * 1.01), given, False),
        "missing tensor": ({k: v for k, v in model.items() if k != "stem.bn.bias"}, given, False),
        "nan logit": (model, broken(given, "logits", lambda t: t * float("nan")), False),
    }
    for name, (tensors, data, want) in cases.items():
        with tempfile.TemporaryDirectory() as d:
            paths = [os.path.join(d, f) for f in ("model.safetensors", "arch.json", "input.safetensors")]
            meta = {"format": "pt", "oneshot": json.dumps(about)}
            write_safetensors(paths[0], tensors, meta)
            with open(paths[1], "w") as f:
                json.dump(ARCH, f)
            write_safetensors(paths[2], data)
            try:
                have = check(*paths)
            except (RuntimeError, ValueError) as e:
                print(str(e).splitlines()[0])
                have = False
        if have != want:
            raise SystemExit(f"selftest: {name}: check says {have}, want {want}")
    print(f"selftest: {len(cases)} cases ok")


def main(args):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    verb, rest = (args[0], args[1:]) if args else ("", [])
    if verb in ("generate", "verify", "selftest") and not rest:
        {"generate": generate, "verify": verify, "selftest": selftest}[verb]()
        return 0
    if verb == "check" and 1 <= len(rest) <= 3:
        if len(rest) == 1:
            d = rest[0]
            rest = [os.path.join(d, "model.safetensors"), os.path.join(d, "arch.json")]
            with_input = os.path.join(d, "input.safetensors")
            rest += [with_input] if os.path.exists(with_input) else []
        try:
            return 0 if check(*rest) else 1
        except (RuntimeError, ValueError, KeyError, OSError) as e:
            print(f"parity: {type(e).__name__}: {e}", file=sys.stderr)
            return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
