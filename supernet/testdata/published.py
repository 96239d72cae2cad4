#!/usr/bin/python3
"""The published cells as architectures of torchnet.py, and their counts.

  published.py        parameters and multiply-adds of every network whose counts are known
  published.py NAME   the JSON form of an architecture

A cell is written as its nodes' pairs, "operation input", with the states that it concatenates after a
colon where these are not all nodes. All of them follow the rule of the published code that pools have no
normalisation. Sources: DARTS (Liu et al. 2019), PC-DARTS (Xu et al. 2020) and P-DARTS (Chen et al. 2019)
by their released genotypes; NASNet-A (Zoph et al. 2018) and AmoebaNet-A (Real et al. 2019) as the release
of DARTS writes them; LaNet by the release of LaNAS (Wang et al. 2019).
"""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import torch
from torch import nn

from torchnet import Network

SHORT = {"skip": "skip_connect", "max": "max_pool_3x3", "avg": "avg_pool_3x3", "sep3": "sep_conv_3x3",
         "sep5": "sep_conv_5x5", "sep7": "sep_conv_7x7", "dil3": "dil_conv_3x3", "dil5": "dil_conv_5x5",
         "conv7": "conv_7x1_1x7"}

# name: operations, normal cell, reduction cell
CELLS = {
    "darts-v1": ("darts", "sep3 1 sep3 0 | skip 0 sep3 1 | skip 0 sep3 1 | sep3 0 skip 2",
                 "max 0 max 1 | skip 2 max 0 | max 0 skip 2 | skip 2 avg 0"),
    "darts-v2": ("darts", "sep3 0 sep3 1 | sep3 0 sep3 1 | sep3 1 skip 0 | skip 0 dil3 2",
                 "max 0 max 1 | skip 2 max 1 | max 0 skip 2 | skip 2 max 1"),
    "pc-darts": ("darts", "sep3 1 skip 0 | sep3 0 dil3 1 | sep5 0 sep3 1 | avg 0 dil3 1",
                 "sep5 1 max 0 | sep5 1 sep5 2 | sep3 0 sep3 3 | sep3 1 sep3 2"),
    "pc-darts-image": ("darts", "skip 1 sep3 0 | sep3 0 skip 1 | sep3 1 sep3 3 | sep3 1 dil5 4",
                       "sep3 0 skip 1 | dil5 2 max 1 | sep3 2 sep3 1 | sep5 0 sep3 3"),
    "p-darts": ("darts", "skip 0 dil3 1 | skip 0 sep3 1 | sep3 1 sep3 3 | sep3 0 dil5 4",
                "avg 0 sep5 1 | sep3 0 dil5 2 | max 0 dil3 1 | dil3 1 dil5 3"),
    "nasnet-a": ("nasnet", "sep5 1 sep3 0 | sep5 0 sep3 0 | avg 1 skip 0 | avg 0 avg 0 | sep3 1 skip 1 : 2 3 4 5 6",
                 "sep5 1 sep7 0 | max 1 sep7 0 | avg 1 sep5 0 | skip 3 avg 2 | sep3 2 max 1 : 4 5 6"),
    "amoebanet-a": ("nasnet", "avg 0 max 1 | sep3 0 sep5 2 | sep3 0 avg 3 | sep3 1 skip 1 | skip 0 avg 1 : 4 5 6",
                    "avg 0 sep3 1 | max 0 sep7 2 | sep7 0 avg 1 | max 0 max 1 | conv7 0 sep3 5 : 3 4 6"),
}

# LaNet as the release writes it: the operations of all pairs, then their inputs.
LANET = [2, 2, 0, 2, 1, 2, 0, 2, 2, 3, 2, 1, 2, 0, 0, 1, 1, 1, 2, 1, 1, 0, 3, 4, 3, 0, 3, 1]
LANET_OPS = ["sep3", "max", "skip", "sep5"]


def cell(text):
    """The JSON form of a cell, and the states of its output."""
    text, _, output = text.partition(":")
    nodes = []
    for node in text.split("|"):
        a, b, c, d = node.split()
        nodes.append([{"edge": int(b), "op": SHORT[a]}, {"edge": int(d), "op": SHORT[c]}])
    return nodes, [int(s) for s in output.split()] or list(range(2, 2 + len(nodes)))


def lanet():
    """LaNet's cell as text: a state that no node reads belongs to the output."""
    half = len(LANET) // 2
    pairs = [f"{LANET_OPS[op]} {edge}" for op, edge in zip(LANET[:half], LANET[half:])]
    unread = set(range(2, 2 + half // 2)) - set(LANET[half:])
    return " | ".join(map(" ".join, zip(pairs[::2], pairs[1::2]))) + " : " + " ".join(map(str, sorted(unread)))


def published(name):
    """The JSON form of an architecture by its name."""
    space = {"pool_norm": False}
    if name == "lanet":
        space["weight_standard"] = True
    ops, normal, reduce = ("lanas", lanet(), lanet()) if name == "lanet" else CELLS[name]
    arch = {"space": {"ops": ops, "nodes": normal.count("|") + 1, **space}}
    for kind, text in (("normal", normal), ("reduce", reduce)):
        arch[kind], arch[kind + "_output"] = cell(text)
    return arch


def shape(arch, layers, channels, classes=10, image=32, **more):
    """What Network wants to know besides the architecture."""
    return {"ops": arch["space"]["ops"], "nodes": arch["space"]["nodes"], "layers": layers, "channels": channels,
            "stem_multiplier": 3, "classes": classes, "image": image, "affine": True, **more}


def count(net, image):
    """Parameters without the auxiliary head, multiply-adds of convolutions and linear layers of an image,
    and the parameters of the auxiliary head."""
    total = 0

    def hook(module, _, y):
        nonlocal total
        total += y[0].numel() * module.weight[0].numel()

    heads = set(net.aux.modules()) if hasattr(net, "aux") else set()
    hooks = [m.register_forward_hook(hook) for m in net.modules()
             if isinstance(m, (nn.Conv2d, nn.Linear)) and m not in heads]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, image, image))
    for h in hooks:
        h.remove()
    head = sum(p.numel() for p in net.aux.parameters()) if heads else 0
    return sum(p.numel() for p in net.parameters()) - head, total, head


# name, layers, channels, ImageNet form, parameters, multiply-adds: exact, or in millions as printed
COUNTS = [
    ("darts-v1", 20, 36, False, 3169414, 500987520),
    ("darts-v2", 20, 36, False, 3349342, 528359040),
    ("pc-darts", 20, 36, False, 3634678, 556670592),
    ("p-darts", 20, 36, False, 3433798, 532174464),
    ("nasnet-a", 20, 33, False, 3245989, 512.5),
    ("amoebanet-a", 20, 36, False, 3145078, 488931552),
    ("lanet", 20, 36, False, 3222982, 496.0),
    ("lanet", 24, 36, False, 3714886, 591.5),
    ("lanet", 24, 128, False, 44591498, 6962.7),
    ("darts-v2", 14, 48, True, 4718752, 529.9),
    ("pc-darts-image", 14, 48, True, 5342464, 581.6),
]


def main(args):
    if args:
        print(json.dumps(published(*args)))
        return 0
    wrong = 0
    for name, layers, channels, imagenet, params, madds in COUNTS:
        arch, image = published(name), 224 if imagenet else 32
        net = Network(shape(arch, layers, channels, 1000 if imagenet else 10, image, imagenet=imagenet, aux=True), arch)
        have = count(net, image)
        same = have[0] == params and (have[1] if isinstance(madds, int) else round(have[1] / 1e6, 1)) == madds
        wrong += not same
        print(f"{name:14} {layers:2} cells C={channels:3} {'ImageNet' if imagenet else 'CIFAR':8} {have[0]:10,} {have[1]:13,} "
              f"auxiliary head {have[2]:9,}  {'as published' if same else f'published: {params:,} {madds:,}'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
