#!/usr/bin/python3
"""Parity of oneshot with PyTorch: the golden files, and a check of exported models.

  parity.py generate [NAME...]    write NAME.safetensors and NAME.json beside this script
  parity.py verify [NAME...]      recompute everything from the stored parameters and compare
  parity.py check DIR             DIR holds model.safetensors and arch.json (and input.safetensors)
  parity.py check MODEL ARCH [INPUT]
  parity.py selftest              prove that check accepts a good export and refuses broken ones, and that
                                  gradients are those of finite differences

check rebuilds the extracted network from the file's metadata, loads it strictly by name and, given
INPUT (x (N,3,H,W) normalised, logits (N,classes)), compares the logits; it exits with 1 above 1e-4.

Without names, generate and verify do all: parity is a network of every operation of cells, the others are
small forms of published networks and of spaces. trajectory.py says how the golden values come about.
"""
import json
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import torch

from published import published, shape
from torchnet import Network, read_safetensors, write_safetensors
from trajectory import Case, TooClose, generate, guard_kinks, relative, slope, verify

TOLERANCE = 1e-4

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


def small(name, channels, image, batch=4, aux=False, **more):
    """A small form of a published network. An auxiliary head needs an image of 8x8 after the reductions,
    or of 7x7 in the form for ImageNet, which is what 224 pixels become."""
    arch = published(name)
    net = shape(arch, 3, channels, image=image, aux=aux, aux_channels=[8, 12], **more)
    return Case("imagenet" if net.get("imagenet") else name, net, arch, {**TRAIN, "batch": batch})


# Every candidate stands in the first block of a stage, where the shape changes, and in another.
MACRO = {"space": {"kind": "nasbench-macro"},
         "layers": ["mbconv_e3_k3", "mbconv_e3_k3", "mbconv_e6_k5", "mbconv_e6_k5", "identity", "identity", "identity", "identity"]}
MACRO_NET = {"layers": 8, "channels": 4, "stem_multiplier": 1, "classes": 10, "image": 16, "affine": True}

# A cell with every operation, a node of one term and a sum of three.
BENCH201 = {"space": {"kind": "nasbench-201"},
            "edges": ["nor_conv_1x1", "none", "nor_conv_3x3", "skip_connect", "avg_pool_3x3", "nor_conv_3x3"]}
BENCH201_NET = {"layers": 3, "channels": 4, "stem_multiplier": 1, "classes": 10, "image": 16, "affine": True}


CASES = {c.name: c for c in (
    Case("parity", NET, ARCH, TRAIN),
    small("lanet", 4, 32, aux=True),
    small("nasnet-a", 5, 16),
    small("amoebanet-a", 4, 16),
    small("darts-v2", 4, 224, batch=2, aux=True, imagenet=True),
    Case("nasbench-macro", MACRO_NET, MACRO, {**TRAIN, "batch": 8}),
    Case("nasbench-201", BENCH201_NET, BENCH201, TRAIN),
)}


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
    case = CASES["parity"]
    stored, _ = read_safetensors(case.golden)
    with open(case.sheet) as f:
        x, _ = case.batch(json.load(f)["batches"][0])
    final = {k[len("final/"):]: v for k, v in stored.items() if k.startswith("final/")}
    model = {k: v for k, v in final.items() if not k.startswith("aux.")}
    given = {"x": x, "logits": stored["eval/logits"]}
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
    slopes = {name: slope(case) for name, case in CASES.items()}
    print(f"selftest: {len(cases)} cases ok; gradients against finite differences: {slopes}")
    if not all(error <= 1e-5 for error in slopes.values()):
        raise SystemExit("selftest: a gradient is not the loss's")


def main(args):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    verb, rest = (args[0], args[1:]) if args else ("", [])
    if verb in ("generate", "verify") and set(rest) <= set(CASES):
        for name in rest or CASES:
            {"generate": generate, "verify": verify}[verb](CASES[name])
        return 0
    if verb == "selftest" and not rest:
        selftest()
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
