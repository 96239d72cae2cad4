#!/usr/bin/python3
"""One golden case per operation, from PyTorch in float64.

  ops_golden.py generate    write ops_golden.safetensors beside this script
  ops_golden.py verify      recompute and compare

Case "sep_conv_3x3_s2" holds, all float32 (labels int64) and NCHW:
  sep_conv_3x3_s2/x             input
  sep_conv_3x3_s2/dw1.weight    each parameter and buffer before, by its name in the model files
  sep_conv_3x3_s2/y             output in training mode (batch statistics)
  sep_conv_3x3_s2/dy            upstream gradient
  sep_conv_3x3_s2/d_x           gradient of sum(dy*y) by the input, and
  sep_conv_3x3_s2/d_dw1.weight  by each parameter
  sep_conv_3x3_s2/after.bn1.running_mean   each buffer after that one step
  sep_conv_3x3_s2/y_eval        output in evaluation mode with those buffers
Inputs are float32 values, computed with in float64, results rounded once. Inputs are drawn again
until no ReLU input and no gap between the two largest values of a pooling window is under 1e-3.
"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "supernet", "testdata"))

import torch
import torch.nn as nn
import torch.nn.functional as F

import torchnet as T
from parity import TooClose, guard_kinks, relative

GOLDEN = os.path.join(HERE, "ops_golden.safetensors")
MARGIN = 1e-3


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def cases():
    """Yields (name, module, input shape). Height differs from width so that a swap shows."""
    even, odd = (2, 4, 6, 8), (2, 4, 7, 5)
    yield "stem", T.Stem(3, 4), (2, 3, 6, 8)
    yield "relu_conv_bn", T.ReLUConvBN(4, 3), even
    yield "factorized_reduce", T.FactorizedReduce(3, 4), (2, 3, 6, 8)
    yield "factorized_reduce_odd", T.FactorizedReduce(3, 4), (2, 3, 7, 5)
    for stride in (1, 2):
        for k in (3, 5, 7):
            yield f"sep_conv_{k}x{k}_s{stride}", T.SepConv(4, k, stride), even
        for k in (3, 5):
            yield f"dil_conv_{k}x{k}_s{stride}", T.DilConv(4, k, stride), even
        for kind in ("max", "avg"):
            yield f"{kind}_pool_3x3_s{stride}", T.PoolBN(kind, 4, stride), even
    yield "sep_conv_3x3_s2_odd", T.SepConv(4, 3, 2), odd
    yield "dil_conv_3x3_s2_odd", T.DilConv(4, 3, 2), odd
    yield "max_pool_3x3_s2_odd", T.PoolBN("max", 4, 2), odd
    yield "avg_pool_3x3_s2_odd", T.PoolBN("avg", 4, 2), odd
    yield "sep_conv_3x3_s1_noaffine", T.SepConv(4, 3, 1, affine=False), even
    yield "max_pool_3x3_s1_noaffine", T.PoolBN("max", 4, 1, affine=False), even
    yield "aux_head", T.AuxHead(3, (5, 6), 4), (4, 3, 8, 8)
    yield "global_avg_pool", Mean(), even
    yield "linear", nn.Linear(4, 3), (5, 4)


def later_cases():
    """Come behind all others, so that these draw the numbers that they always drew."""
    for suffix, stride, shape in (("s1", 1, (2, 4, 6, 8)), ("s2", 2, (2, 4, 6, 8)), ("s2_odd", 2, (2, 4, 7, 5))):
        yield f"max_pool_3x3_{suffix}_nonorm", nn.MaxPool2d(3, stride, 1), shape
        yield f"avg_pool_3x3_{suffix}_nonorm", nn.AvgPool2d(3, stride, 1, count_include_pad=False), shape


class Conv2D(nn.Module):
    """Activation, RxS convolution and, if it has one, BN: names end in suffix."""

    def __init__(self, ci, co, kernel, stride, suffix, relu=True, norm=True, affine=True):
        super().__init__()
        self.relu = nn.ReLU() if relu else nn.Identity()
        pad = (kernel[0] // 2, kernel[1] // 2)
        self.add_module("conv" + suffix, nn.Conv2d(ci, co, kernel, stride, pad, bias=False))
        self.names = ["relu", "conv" + suffix]
        if norm:
            self.add_module("bn" + suffix, T.batch_norm(co, affine))
            self.names.append("bn" + suffix)

    def forward(self, x):
        for name in self.names:
            x = getattr(self, name)(x)
        return x


def conv2d_cases():
    """Of an operation with kernels that are no squares; behind all that is older."""
    for suffix, s, (h, w) in (("s1", 1, (6, 8)), ("s2", 2, (6, 8)), ("s2_odd", 2, (7, 5))):
        yield f"conv_3x3_images_{suffix}", Conv2D(3, 4, (3, 3), s, "1", relu=False), (2, 3, h, w)
        yield f"conv_3x3_{suffix}", Conv2D(4, 6, (3, 3), s, "2"), (2, 4, h, w)
        yield f"conv_1x7_{suffix}", Conv2D(4, 4, (1, 7), (1, s), "1", norm=False), (2, 4, h, w)
        yield f"conv_7x1_{suffix}", Conv2D(4, 4, (7, 1), (s, 1), "2", relu=False, affine=False), (2, 4, h, w)


class StandardConv2d(nn.Conv2d):
    """A 1x1 convolution with weight standardisation (arXiv 1903.10520), as LaNet has it."""

    def forward(self, x):
        w = self.weight
        w = w - w.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, w / (self.weight.flatten(1).std(1)[:, None, None, None] + 1e-5))


def standard(module):
    for m in module.modules():
        if type(m) is nn.Conv2d and m.groups == 1:
            m.__class__ = StandardConv2d
    return module


class ReLUConv(nn.Module):
    """Without normalisation; with k > 1 the kernel covers the image."""

    def __init__(self, ci, co, k=1):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(ci, co, k, bias=False)

    def forward(self, x):
        return self.conv(self.relu(x))


def standard_cases():
    """Have a stream of numbers of their own."""
    even = (2, 4, 6, 8)
    yield "relu_conv_bn_standard", standard(T.ReLUConvBN(4, 3)), even
    for k, stride in ((3, 1), (5, 2), (7, 1)):
        yield f"sep_conv_{k}x{k}_s{stride}_standard", standard(T.SepConv(4, k, stride)), even
    for k, stride in ((3, 2), (5, 1)):
        yield f"dil_conv_{k}x{k}_s{stride}_standard", standard(T.DilConv(4, k, stride)), even
    yield "relu_conv_nonorm", ReLUConv(4, 3), even
    yield "relu_conv_nonorm_flatten", ReLUConv(3, 5, 2), (4, 3, 2, 2)


class Depthwise(nn.Module):
    """Activation, depthwise convolution, BN: names end in suffix."""

    def __init__(self, c, k, stride, suffix="", relu=True, affine=True):
        super().__init__()
        self.relu = nn.ReLU() if relu else nn.Identity()
        self.names = ["relu", "conv" + suffix, "bn" + suffix]
        self.add_module("conv" + suffix, nn.Conv2d(c, c, k, stride, k // 2, groups=c, bias=False))
        self.add_module("bn" + suffix, T.batch_norm(c, affine))

    def forward(self, x):
        for name in self.names:
            x = getattr(self, name)(x)
        return x


class ActBN(nn.Module):
    def __init__(self, c, suffix="", relu=True, norm=True, affine=True):
        super().__init__()
        self.relu, self.name = nn.ReLU() if relu else nn.Identity(), "bn" + suffix
        if norm:
            self.add_module(self.name, T.batch_norm(c, affine))

    def forward(self, x):
        x = self.relu(x)
        return getattr(self, self.name)(x) if hasattr(self, self.name) else x


class AvgPool(nn.Module):
    def __init__(self, k, stride, relu):
        super().__init__()
        self.relu, self.pool = nn.ReLU() if relu else nn.Identity(), nn.AvgPool2d(k, stride)

    def forward(self, x):
        return self.pool(self.relu(x))


def block_cases():
    """What MobileNetV2's blocks and NAS-Bench-201 have beyond cells; a stream of their own."""
    even, odd = (2, 4, 6, 8), (2, 4, 7, 5)
    for k in (3, 5, 7):
        for stride in (1, 2):
            yield f"depthwise_{k}x{k}_s{stride}", Depthwise(4, k, stride), even
            yield f"depthwise_{k}x{k}_s{stride}_odd", Depthwise(4, k, stride, "2", relu=False, affine=False), odd
    yield "relu_bn", ActBN(4), even
    yield "bn", ActBN(4, "2", relu=False, affine=False), odd
    yield "relu", ActBN(4, norm=False), even
    yield "avg_pool_2x2", AvgPool(2, 2, False), odd
    yield "relu_avg_pool_3x3", AvgPool(3, 2, True), odd
    yield "relu_avg_pool_6x6", AvgPool(6, 1, True), (2, 4, 6, 6)


def randomise(module, r):
    for name, t in module.state_dict().items():
        if t.dtype == torch.int64:
            continue
        z = torch.randn(t.shape, generator=r)
        if name.endswith("running_var"):
            z = 1 + 0.5 * z.abs()
        elif t.dim() == 1:
            z = 0.2 * z + (1 if name.endswith("weight") else 0)
        else:
            z *= (2 / t[0].numel()) ** 0.5
        t.copy_(z)


def module_case(module, shape, r):
    module = module.double()
    randomise(module, r)
    before = {k: v.clone() for k, v in module.state_dict().items()}
    hooks = guard_kinks(module, MARGIN)
    while True:
        module.load_state_dict(before)
        x = torch.randn(shape, generator=r).double().requires_grad_()
        try:
            y = module.train()(x)
            break
        except TooClose:
            continue
    for h in hooks:
        h.remove()
    dy = torch.randn(y.shape, generator=r).double()
    y.backward(dy)
    out = {"x": x, "y": y, "dy": dy, "d_x": x.grad, **before}
    out.update({"d_" + k: p.grad for k, p in module.named_parameters()})
    out.update({"after." + k: b.clone() for k, b in module.named_buffers()})
    with torch.no_grad():
        out["y_eval"] = module.eval()(x)
    return out


def loss_case(smoothing, r):
    """Mean over the batch; the upstream gradient is 1."""
    x = (3 * torch.randn(5, 10, generator=r)).double().requires_grad_()
    labels = torch.randint(10, (5,), generator=r)
    y = F.cross_entropy(x, labels, label_smoothing=smoothing)
    y.backward()
    return {"x": x, "labels": labels, "y": y.reshape(1), "d_x": x.grad}


def soft_loss_case(r):
    """Targets that are distributions; mean over the batch."""
    x = (3 * torch.randn(5, 10, generator=r)).double().requires_grad_()
    targets = torch.rand(5, 10, generator=r).double()
    targets = targets / targets.sum(1, keepdim=True)
    y = F.cross_entropy(x, targets)
    y.backward()
    return {"x": x, "targets": targets, "y": y.reshape(1), "d_x": x.grad}


def distill_case(weight, temperature, r):
    """weight * T^2 * the divergence from a teacher, whose entropy is added: the loss is the
    cross-entropy, the gradient is the divergence's."""
    x = (3 * torch.randn(5, 10, generator=r)).double().requires_grad_()
    targets = F.softmax(3 * torch.randn(5, 10, generator=r).double() / temperature, 1)
    divergence = F.kl_div(F.log_softmax(x / temperature, 1), targets, reduction="batchmean")
    divergence = weight * temperature**2 * divergence
    divergence.backward()
    entropy = -(targets * targets.log()).sum(1).mean()
    y = divergence + weight * temperature**2 * entropy
    return {"x": x, "targets": targets, "y": y.reshape(1), "d_x": x.grad}


def sum_case(r):
    """Four terms, two of them with a mask for each image."""
    x = [torch.randn(3, 4, 2, 5, generator=r).double().requires_grad_() for _ in range(4)]
    masks = {i: torch.rand(3, generator=r).double() for i in (1, 3)}
    y = sum(v * masks[i].reshape(3, 1, 1, 1) if i in masks else v for i, v in enumerate(x))
    dy = torch.randn(y.shape, generator=r).double()
    y.backward(dy)
    out = {"y": y, "dy": dy}
    for i, v in enumerate(x):
        out.update({f"x{i}": v, f"d_x{i}": v.grad})
    out.update({f"mask{i}": m for i, m in masks.items()})
    return out


def compute():
    r = torch.Generator().manual_seed(1)
    tensors = {}
    for name, module, shape in cases():
        for k, v in module_case(module, shape, r).items():
            tensors[f"{name}/{k}"] = v.detach()
    for name, smoothing in (("softmax_xent", 0.0), ("softmax_xent_smooth", 0.1)):
        for k, v in loss_case(smoothing, r).items():
            tensors[f"{name}/{k}"] = v.detach()
    for name, module, shape in later_cases():
        for k, v in module_case(module, shape, r).items():
            tensors[f"{name}/{k}"] = v.detach()
    for name, case in (("soft_xent", soft_loss_case(r)), ("distill", distill_case(0.3, 4.0, r))):
        for k, v in case.items():
            tensors[f"{name}/{k}"] = v.detach()
    for name, module, shape in conv2d_cases():
        for k, v in module_case(module, shape, r).items():
            tensors[f"{name}/{k}"] = v.detach()
    r = torch.Generator().manual_seed(3)
    for name, module, shape in standard_cases():
        for k, v in module_case(module, shape, r).items():
            tensors[f"{name}/{k}"] = v.detach()
    r = torch.Generator().manual_seed(4)
    for name, module, shape in block_cases():
        for k, v in module_case(module, shape, r).items():
            tensors[f"{name}/{k}"] = v.detach()
    for k, v in sum_case(r).items():
        tensors[f"node_sum/{k}"] = v.detach()
    return tensors


def main(args):
    torch.set_num_threads(1)
    if args == ["generate"]:
        tensors = compute()
        T.write_safetensors(GOLDEN, tensors)
        print(f"{len(tensors)} tensors, {os.path.getsize(GOLDEN)} bytes")
        return 0
    if args == ["verify"]:
        want, have = T.read_safetensors(GOLDEN)[0], compute()
        errors = {k: relative(have[k], want[k]) for k in want}
        bad = [k for k in want if not errors[k] <= 1e-6] + sorted(set(want) ^ set(have))
        print(f"{len(want)} tensors, worst relative error {max(errors.values()):.3g}")
        if bad:
            print("differ:", *bad, file=sys.stderr)
        return 1 if bad else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
