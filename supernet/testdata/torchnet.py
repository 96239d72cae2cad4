"""The network of oneshot in PyTorch, written from its definition and not from the Go code.

What: the operations, the cell and the extracted network (one architecture), with the parameter
names of the files that oneshot writes, and a reader and writer of safetensors in plain struct and
json. Why: it is the second opinion behind parity.safetensors and ops_golden.safetensors, and it
reads exported models. Runs under PyTorch 1.13 (Debian: python3-torch).

Tensors are NCHW here; Go keeps NHWC inside and converts at the file boundary.
"""
import json
import struct

import torch
import torch.nn as nn
import torch.nn.functional as F

LANAS = ["max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"]
DARTS = LANAS + ["avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5"]
FULL = DARTS + ["sep_conv_7x7"]
OP_SETS = {"lanas": LANAS, "darts": DARTS, "full": FULL, "nasnet": FULL + ["conv_7x1_1x7"]}


def batch_norm(c, affine):
    return nn.BatchNorm2d(c, eps=1e-5, momentum=0.1, affine=affine)


class StandardConv(nn.Conv2d):
    """A convolution whose weights are standardised for each output channel before they are used:
    less their mean, over their unbiased standard deviation + 1e-5 (LaNet's form of Qiao et al. 2019)."""

    def forward(self, x):
        w = self.weight
        deviation, mean = torch.std_mean(w, dim=(1, 2, 3), keepdim=True)
        return self._conv_forward(x, (w - mean) / (deviation + 1e-5), None)


def pointwise(ci, co, standard):
    return (StandardConv if standard else nn.Conv2d)(ci, co, 1, bias=False)


def depthwise(c, k, stride, pad, dilation=1):
    return nn.Conv2d(c, c, k, stride, pad, dilation, groups=c, bias=False)


class Stem(nn.Module):
    """3x3 convolution and BN, no ReLU: the first cell's preprocess begins with one."""

    def __init__(self, ci, co, affine=True):
        super().__init__()
        self.conv = nn.Conv2d(ci, co, 3, padding=1, bias=False)
        self.bn = batch_norm(co, affine)

    def forward(self, x):
        return self.bn(self.conv(x))


class ReLUConvBN(nn.Module):
    def __init__(self, ci, co, affine=True, standard=False):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv = pointwise(ci, co, standard)
        self.bn = batch_norm(co, affine)

    def forward(self, x):
        return self.bn(self.conv(self.relu(x)))


class FactorizedReduce(nn.Module):
    """Halves the image: even pixels through conv1, odd pixels through conv2, concatenated.

    An odd size is padded with one zero row/column at the end for conv2, so that both halves have
    ceil(H/2) rows; at even sizes the padding is never read.
    """

    def __init__(self, ci, co, affine=True):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(ci, co // 2, 1, stride=2, bias=False)
        self.conv2 = nn.Conv2d(ci, co - co // 2, 1, stride=2, bias=False)
        self.bn = batch_norm(co, affine)

    def forward(self, x):
        x = self.relu(x)
        odd = F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.bn(torch.cat([self.conv1(x), self.conv2(odd)], 1))


class PoolBN(nn.Module):
    """A pool, and BN unless norm is false."""

    def __init__(self, kind, c, stride, affine=True, norm=True):
        super().__init__()
        if kind == "max":
            self.pool = nn.MaxPool2d(3, stride, 1)
        else:
            self.pool = nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        self.bn = batch_norm(c, affine) if norm else nn.Identity()

    def forward(self, x):
        return self.bn(self.pool(x))


class SepConv(nn.Module):
    """(ReLU, depthwise, pointwise, BN) twice; only the first depthwise has the stride."""

    def __init__(self, c, k, stride, affine=True, standard=False):
        super().__init__()
        self.relu = nn.ReLU()
        self.dw1 = depthwise(c, k, stride, k // 2)
        self.pw1 = pointwise(c, c, standard)
        self.bn1 = batch_norm(c, affine)
        self.dw2 = depthwise(c, k, 1, k // 2)
        self.pw2 = pointwise(c, c, standard)
        self.bn2 = batch_norm(c, affine)

    def forward(self, x):
        x = self.bn1(self.pw1(self.dw1(self.relu(x))))
        return self.bn2(self.pw2(self.dw2(self.relu(x))))


class DilConv(nn.Module):
    def __init__(self, c, k, stride, affine=True, standard=False):
        super().__init__()
        self.relu = nn.ReLU()
        self.dw1 = depthwise(c, k, stride, k - 1, dilation=2)
        self.pw1 = pointwise(c, c, standard)
        self.bn1 = batch_norm(c, affine)

    def forward(self, x):
        return self.bn1(self.pw1(self.dw1(self.relu(x))))


class Conv7(nn.Module):
    """ReLU, 1x7 and 7x1 convolution, BN; the stride is of the width in the first, of the height in the
    second (conv_7x1_1x7 of NASNet)."""

    def __init__(self, c, stride, affine=True):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(c, c, (1, 7), (1, stride), (0, 3), bias=False)
        self.conv2 = nn.Conv2d(c, c, (7, 1), (stride, 1), (3, 0), bias=False)
        self.bn2 = batch_norm(c, affine)

    def forward(self, x):
        return self.bn2(self.conv2(self.conv1(self.relu(x))))


class Stem0(nn.Module):
    """First part of the ImageNet stem: a quarter of the image's side."""

    def __init__(self, c, affine=True):
        super().__init__()
        self.conv1 = nn.Conv2d(3, c // 2, 3, 2, 1, bias=False)
        self.bn1 = batch_norm(c // 2, affine)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(c // 2, c, 3, 2, 1, bias=False)
        self.bn2 = batch_norm(c, affine)

    def forward(self, x):
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class Stem1(nn.Module):
    """Second part of the ImageNet stem: an eighth."""

    def __init__(self, c, affine=True):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(c, c, 3, 2, 1, bias=False)
        self.bn = batch_norm(c, affine)

    def forward(self, x):
        return self.bn(self.conv(self.relu(x)))


class AuxHead(nn.Module):
    """The auxiliary classifier of DARTS on an 8x8 image, 8 -> 2 -> 1; for ImageNet on a 7x7 image, where
    the second convolution has no BN."""

    def __init__(self, ci, widths, classes, affine=True, imagenet=False):
        super().__init__()
        a, b = widths
        self.relu = nn.ReLU()
        self.pool = nn.AvgPool2d(5, stride=2 if imagenet else 3, padding=0, count_include_pad=False)
        self.conv1 = nn.Conv2d(ci, a, 1, bias=False)
        self.bn1 = batch_norm(a, affine)
        self.conv2 = nn.Conv2d(a, b, 2, bias=False)
        self.bn2 = nn.Identity() if imagenet else batch_norm(b, affine)
        self.classifier = nn.Linear(b, classes)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(self.pool(self.relu(x)))))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.classifier(x.flatten(1))


class Rules:
    """What all cells of a network have in common: scale and shift of normalisations (affine), BN after
    pools (pool_norm), standardised weights of the 1x1 convolutions in separable and dilated operations
    and in the preprocessing without stride (standard)."""

    def __init__(self, affine, pool_norm, standard):
        self.affine, self.pool_norm, self.standard = affine, pool_norm, standard


def make_op(name, c, stride, rules):
    if name in ("max_pool_3x3", "avg_pool_3x3"):
        return PoolBN(name[:3], c, stride, rules.affine, rules.pool_norm)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(c, c, rules.affine)
    if name == "conv_7x1_1x7":
        return Conv7(c, stride, rules.affine)
    family, k = name.rsplit("_", 1)
    return {"sep_conv": SepConv, "dil_conv": DilConv}[family](c, int(k[0]), stride, rules.affine, rules.standard)


def drop(x, p):
    """Drop-path: with probability p the whole of an image is 0, and what stays is scaled up."""
    return x * (torch.rand(x.shape[0], 1, 1, 1) >= p) / (1 - p)


class Node(nn.Module):
    def __init__(self, pairs, c, reduction, rules):
        super().__init__()
        self.pairs = pairs  # [(edge, op name), (edge, op name)]
        self.edges = nn.ModuleDict()
        for edge, op in pairs:
            stride = 2 if reduction and edge < 2 else 1
            if str(edge) not in self.edges:
                self.edges[str(edge)] = nn.ModuleDict()
            twin = op in self.edges[str(edge)]  # an equal pair has parameters of its own
            self.edges[str(edge)][op + "_2" if twin else op] = make_op(op, c, stride, rules)

    def forward(self, states, drop_path=0):
        (e0, o0), (e1, o1) = self.pairs
        if self.pairs[0] == self.pairs[1]:
            o1 += "_2"
        return self.value(states, e0, o0, drop_path) + self.value(states, e1, o1, drop_path)

    def value(self, states, edge, op, drop_path):
        op = self.edges[str(edge)][op]
        y = op(states[edge])
        return drop(y, drop_path) if drop_path and not isinstance(op, nn.Identity) else y


class Cell(nn.Module):
    def __init__(self, cell, c_prev_prev, c_prev, c, reduction, after_reduction, rules, prune):
        super().__init__()
        pairs, self.output = cell
        used = {edge for i in live_nodes(cell) for edge, _ in pairs[i]}
        self.live = live_nodes(cell) if prune else set(range(len(pairs)))
        if 0 in used or not prune:
            self.pre0 = (FactorizedReduce(c_prev_prev, c, rules.affine) if after_reduction else
                         ReLUConvBN(c_prev_prev, c, rules.affine, rules.standard))
        if 1 in used or not prune:
            self.pre1 = ReLUConvBN(c_prev, c, rules.affine, rules.standard)
        self.nodes = nn.ModuleDict({str(i): Node(pairs[i], c, reduction, rules) for i in sorted(self.live)})

    def forward(self, a, b, drop_path=0):
        states = [self.pre0(a) if hasattr(self, "pre0") else None,
                  self.pre1(b) if hasattr(self, "pre1") else None]
        for i in range(max(self.live) + 1):
            states.append(self.nodes[str(i)](states, drop_path) if i in self.live else None)
        return torch.cat([states[s] for s in self.output], 1)


class Network(nn.Module):
    """One architecture. forward(x (N,3,H,W)) returns (logits, aux logits or None).

    net: ops, nodes, layers, channels, stem_multiplier, classes, affine; with an auxiliary head also
    aux and aux_channels; imagenet for the form with the two-step stem. arch: the JSON form of an
    architecture, whose space says the rules.
    prune: leave out what cannot reach the output (cells and preprocesses that nobody reads).
    The attribute drop_path is the probability of drop-path in training.
    """

    def __init__(self, net, arch, prune=True):
        super().__init__()
        check_arch(net, arch)
        space, layers, imagenet = arch["space"], net["layers"], net.get("imagenet", False)
        rules = Rules(net["affine"], space.get("pool_norm", True), space.get("weight_standard", False))
        reductions = {layers // 3, 2 * layers // 3}
        self.aux_at = 2 * layers // 3 if net.get("aux") else -1
        if imagenet:
            cur = net["channels"]
            self.stem0, self.stem1 = Stem0(cur, net["affine"]), Stem1(cur, net["affine"])
        else:
            cur = net["stem_multiplier"] * net["channels"]
            self.stem = Stem(3, cur, net["affine"])
        cells = [cell_of(arch, "reduce" if l in reductions else "normal") for l in range(layers)]
        self.live = live_cells(cells, self.aux_at) if prune else set(range(layers))
        c_prev_prev, c_prev, c = cur, cur, net["channels"]
        self.cells = nn.ModuleDict()
        for l in range(layers):
            reduction = l in reductions
            if reduction:
                c *= 2
            if l in self.live:
                after = l - 1 in reductions or imagenet and l == 0
                self.cells[str(l)] = Cell(cells[l], c_prev_prev, c_prev, c, reduction, after, rules, prune)
            c_prev_prev, c_prev = c_prev, len(cells[l][1]) * c
            if l == self.aux_at:
                widths = net.get("aux_channels", [128, 768])
                self.aux = AuxHead(c_prev, widths, net["classes"], net["affine"], imagenet)
        self.layers, self.imagenet, self.drop_path = layers, imagenet, 0
        self.classifier = nn.Linear(c_prev, net["classes"])

    def forward(self, x):
        if self.imagenet:
            a = self.stem0(x)
            b = self.stem1(a)
        else:
            a = b = self.stem(x)
        aux, drop_path = None, self.drop_path if self.training else 0
        for l in range(self.layers):
            a, b = b, self.cells[str(l)](a, b, drop_path) if l in self.live else None
            if l == self.aux_at:
                aux = self.aux(b)
        return self.classifier(b.mean((2, 3))), aux


def pairs_of(cell):
    return [[(p["edge"], p["op"]) for p in node] for node in cell]


def cell_of(arch, kind):
    """A cell's pairs and the states its output concatenates: all nodes unless the arch names them."""
    pairs = pairs_of(arch[kind])
    return pairs, arch.get(kind + "_output", list(range(2, 2 + len(pairs))))


def live_nodes(cell):
    """Nodes that reach the cell's output."""
    pairs, output = cell
    live = {s - 2 for s in output}
    for i in range(len(pairs) - 1, -1, -1):
        if i in live:
            live |= {edge - 2 for edge, _ in pairs[i] if edge >= 2}
    return live


def live_cells(cells, aux_at):
    """Cells whose output reaches a classifier: edge 1 reads cell l-1, edge 0 reads cell l-2."""
    live = {len(cells) - 1}
    if aux_at >= 0:
        live.add(aux_at)
    for l in range(len(cells) - 1, -1, -1):
        if l in live:
            used = {edge for i in live_nodes(cells[l]) for edge, _ in cells[l][0][i]}
            live |= {l - 2 + edge for edge in (0, 1) if edge in used and l - 2 + edge >= 0}
    return live


def check_arch(net, arch):
    space = arch["space"]
    if (space["ops"], space["nodes"]) != (net["ops"], net["nodes"]):
        raise ValueError(f"arch is of space {space}, the network of {net['ops']}{net['nodes']}")
    for name in ("normal", "reduce"):
        if len(arch[name]) != net["nodes"]:
            raise ValueError(f"{name}: {len(arch[name])} nodes, want {net['nodes']}")
        for i, node in enumerate(pairs_of(arch[name])):
            if len(node) != 2:
                raise ValueError(f"{name}.node[{i}]: want two pairs, have {node}")
            for edge, op in node:
                if not 0 <= edge < 2 + i or op not in OP_SETS[net["ops"]]:
                    raise ValueError(f"{name}.node[{i}]: bad pair ({edge}, {op})")


# safetensors: u64 header length, JSON header, data. F32 and I64 only, little-endian.

def write_safetensors(path, tensors, metadata=None):
    """tensors: name -> float or int64 torch tensor; floats are stored as F32, rounded once."""
    header, blobs, at = {}, [], 0
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    # I64 first keeps every tensor aligned to its element size.
    for name in sorted(tensors, key=lambda n: (tensors[n].dtype != torch.int64, n)):
        t = tensors[name].detach()
        kind = "I64" if t.dtype == torch.int64 else "F32"
        values = t.reshape(-1).tolist()
        blob = struct.pack(f"<{len(values)}{'q' if kind == 'I64' else 'f'}", *values)
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + b"".join(blobs))


def read_safetensors(path):
    """Returns (name -> tensor, metadata)."""
    with open(path, "rb") as f:
        raw = f.read()
    if len(raw) < 8:
        raise ValueError(f"{path}: {len(raw)} bytes are no safetensors file")
    (size,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8:8 + size])
    metadata = header.pop("__metadata__", {})
    end = max((t["data_offsets"][1] for t in header.values()), default=0)
    if 8 + size + end != len(raw):
        raise ValueError(f"{path}: {len(raw)} bytes, the header describes {8 + size + end}")
    tensors = {}
    for name, t in header.items():
        begin, stop = t["data_offsets"]
        code, dtype, width = {"F32": ("f", torch.float32, 4), "I64": ("q", torch.int64, 8)}[t["dtype"]]
        values = struct.unpack_from(f"<{(stop - begin) // width}{code}", raw, 8 + size + begin)
        tensors[name] = torch.tensor(values, dtype=dtype).reshape(t["shape"])
    return tensors, metadata
