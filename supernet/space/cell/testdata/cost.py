"""Writes cost.tsv: parameters and multiply-adds of random architectures, counted by PyTorch.

The network is ../../../testdata/torchnet.py, which leaves out what cannot reach the output. Parameters
are those that PyTorch holds; multiply-adds come from the shapes that its layers really produce.
Run: python3 cost.py > cost.tsv   (PyTorch 1.13, Debian python3-torch)
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../testdata"))
import torch
import torch.nn as nn
from torchnet import OP_SETS, Network


def random_cell(r, ops, nodes, last_edge):
    cell = []
    for i in range(nodes):
        pairs = [(e, o) for e in range(min(2 + i, last_edge)) for o in range(len(ops))]
        cell.append(sorted(r.sample(pairs, 2)))
    return cell


def count(net, x):
    total = [0]

    def hook(m, _, y):
        if isinstance(m, nn.Linear):
            total[0] += m.in_features * m.out_features
        else:
            total[0] += y[0].numel() * m.weight[0].numel()

    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            m.register_forward_hook(hook)
    with torch.no_grad():
        net.eval()(x)
    return sum(p.numel() for p in net.parameters()), total[0]


print("# Written by cost.py.")
print("# layers channels stem classes image params madds arch")
r = random.Random(7)
for ops_name, nodes, layers, channels, stem, classes, image, last_edge in [
    ("lanas", 5, 8, 16, 3, 10, 32, 99), ("lanas", 5, 8, 48, 3, 10, 32, 99), ("lanas", 2, 3, 4, 1, 10, 16, 99),
    ("darts", 4, 7, 6, 3, 100, 24, 99), ("darts", 7, 5, 8, 2, 3, 32, 99), ("full", 5, 6, 8, 3, 10, 32, 99),
    ("full", 3, 2, 4, 3, 2, 8, 99), ("full", 1, 1, 4, 3, 10, 8, 99), ("full", 3, 20, 6, 3, 10, 32, 99),
    # only edge 0: every second cell is dead
    ("lanas", 3, 6, 4, 3, 10, 16, 1), ("full", 3, 7, 4, 3, 10, 16, 1),
]:
    ops = OP_SETS[ops_name]
    cells = [random_cell(r, ops, nodes, last_edge) for _ in range(2)]
    named = [[[{"edge": e, "op": ops[o]} for e, o in n] for n in c] for c in cells]
    net = {"ops": ops_name, "nodes": nodes, "layers": layers, "channels": channels, "stem_multiplier": stem,
           "classes": classes, "image": image, "affine": True}
    arch = {"space": {"ops": ops_name, "nodes": nodes}, "normal": named[0], "reduce": named[1]}
    params, madds = count(Network(net, arch), torch.randn(1, 3, image, image))
    text = ":".join([f"{ops_name}{nodes}"] + [
        ",".join("+".join(f"{e}.{ops[o]}" for e, o in n) for n in c) for c in cells])
    print(layers, channels, stem, classes, image, params, madds, text)
