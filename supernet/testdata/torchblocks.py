"""Networks that are a row of blocks in PyTorch, written from NAS-Bench-Macro's definition (arXiv
2103.11922) and not from the Go code, with the parameter names of the files that oneshot writes."""
import torch.nn as nn

from torchnet import batch_norm, depthwise


class MBConv(nn.Module):
    """1x1 convolution to `expand` times the channels, depthwise convolution, 1x1 convolution; residual
    where the shape stays."""

    def __init__(self, ci, co, stride, expand, k, affine=True):
        super().__init__()
        wide = ci * expand
        self.residual = ci == co and stride == 1
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.conv1, self.bn1 = nn.Conv2d(ci, wide, 1, bias=False), batch_norm(wide, affine)
        self.conv2, self.bn2 = depthwise(wide, k, stride, k // 2), batch_norm(wide, affine)
        self.conv3, self.bn3 = nn.Conv2d(wide, co, 1, bias=False), batch_norm(co, affine)

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu2(self.bn2(self.conv2(y)))))
        return x + y if self.residual else y


class ConvBN(nn.Module):
    def __init__(self, ci, co, k, stride, affine=True):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(ci, co, k, stride, k // 2, bias=False), batch_norm(co, affine)

    def forward(self, x):
        return self.bn(self.conv(x))


STAGES = ((64, 2), (128, 3), (256, 3))  # channels and blocks; the first block of each has stride 2
SIZES = {"mbconv_e3_k3": (3, 3), "mbconv_e6_k5": (6, 5)}  # expansion, kernel


class Macro(nn.Module):
    """NAS-Bench-Macro's network; net["channels"] is the width of the stem, 32 as published."""

    def __init__(self, net, arch):
        super().__init__()
        c, affine = net["channels"], net["affine"]
        width = lambda w: w * net["channels"] // 32
        self.stem, self.relu = ConvBN(3, c, 3, 1, affine), nn.ReLU()
        self.layers = nn.ModuleList()
        names = iter(arch["layers"])
        for w, blocks in STAGES:
            for i in range(blocks):
                name, stride, block = next(names), 2 if i == 0 else 1, nn.ModuleDict()
                if name in SIZES:
                    block[name] = MBConv(c, width(w), stride, *SIZES[name], affine)
                elif stride == 2:
                    block[name] = ConvBN(c, width(w), 1, stride, affine)
                self.layers.append(block)
                c = width(w)
        self.head, self.relu_head = ConvBN(c, width(1280), 1, 1, affine), nn.ReLU()
        self.classifier = nn.Linear(width(1280), net["classes"])

    def forward(self, x):
        x = self.relu(self.stem(x))
        for block in self.layers:
            for operation in block.values():
                x = operation(x)
        return self.classifier(self.relu_head(self.head(x)).mean((2, 3))), None
