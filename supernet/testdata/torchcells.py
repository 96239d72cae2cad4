"""The network of NAS-Bench-201 in PyTorch, written from its paper (arXiv 2001.00326) and not from the Go
code, with the parameter names of the files that oneshot writes."""
import torch.nn as nn

from torchnet import Stem, batch_norm

EDGES = [(source, node) for node in range(1, 4) for source in range(node)]


class ReLUConvBN(nn.Module):
    def __init__(self, ci, co, k, stride, affine):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(ci, co, k, stride, k // 2, bias=False)
        self.bn = batch_norm(co, affine)

    def forward(self, x):
        return self.bn(self.conv(self.relu(x)))


def operation(name, c, affine):
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return ReLUConvBN(c, c, {"nor_conv_1x1": 1, "nor_conv_3x3": 3}[name], 1, affine)


class Cell(nn.Module):
    """arch has no operation of nothing and no node that nobody reads."""

    def __init__(self, arch, c, affine):
        super().__init__()
        self.names = {f"{s}_{d}": name for (s, d), name in zip(EDGES, arch) if name != "none"}
        self.edges = nn.ModuleDict({e: nn.ModuleDict({name: operation(name, c, affine)}) for e, name in self.names.items()})

    def forward(self, x):
        states = [x]
        for node in range(1, 4):
            into = [(e, int(e[0])) for e in self.names if e.endswith(f"_{node}")]
            states.append(sum(self.edges[e][self.names[e]](states[s]) for e, s in into))
        return states[3]


class Residual(nn.Module):
    def __init__(self, ci, co, affine):
        super().__init__()
        self.a = ReLUConvBN(ci, co, 3, 2, affine)
        self.b = ReLUConvBN(co, co, 3, 1, affine)
        self.pool = nn.AvgPool2d(2, 2)
        self.down = nn.ModuleDict({"conv": nn.Conv2d(ci, co, 1, bias=False)})

    def forward(self, x):
        return self.b(self.a(x)) + self.down["conv"](self.pool(x))


class Bench201(nn.Module):
    def __init__(self, net, arch):
        super().__init__()
        c, affine, ops = net["channels"], net["affine"], arch["edges"]
        self.stem = Stem(3, c, affine)
        self.cells = nn.ModuleList()
        for stage in range(3):
            if stage > 0:
                self.cells.append(Residual(c, 2 * c, affine))
                c *= 2
            self.cells.extend(Cell(ops, c, affine) for _ in range(net["layers"] // 3))
        self.last = nn.ModuleDict({"bn": batch_norm(c, affine)})
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(c, net["classes"])

    def forward(self, x):
        x = self.stem(x)
        for cell in self.cells:
            x = cell(x)
        return self.classifier(self.relu(self.last["bn"](x)).mean((2, 3))), None
