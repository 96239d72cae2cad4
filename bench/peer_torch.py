#!/usr/bin/python3
"""The reference job of oneshot's benchmarks, in PyTorch on a CPU.

    oneshot bench archs --archs 8 --json >archs.json
    peer_torch.py step eval ops retrain --archs-json archs.json --layout channels_last

prints one JSON object a line for each job and layout. step, eval and retrain build the same
network as `oneshot bench`, run the same architectures, leave out the same dead parts, and report
their multiply-adds so that compare.sh can check that the work is equal. ops is a whole separable
convolution, forward and backward.

ATEN_CPU_CAPABILITY (avx2, avx512) and LD_PRELOAD of tcmalloc are up to the caller.
"""
import argparse
import json
import os
import re
import resource
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def pointwise(inp, out, stride=1):
    return nn.Conv2d(inp, out, 1, stride=stride, bias=False)


def separable(width, kernel, stride):
    stages = []
    for step in (stride, 1):
        depthwise = nn.Conv2d(width, width, kernel, step, kernel // 2, groups=width, bias=False)
        stages += [nn.ReLU(), depthwise, pointwise(width, width), nn.BatchNorm2d(width)]
    return nn.Sequential(*stages)


class Halve(nn.Module):
    """A factorized reduction: two pointwise convolutions of every other pixel, one shifted."""

    def __init__(self, inp, out):
        super().__init__()
        self.even, self.odd = pointwise(inp, out // 2, 2), pointwise(inp, out // 2, 2)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x):
        x = functional.relu(x)
        return self.norm(torch.cat((self.even(x), self.odd(x[:, :, 1:, 1:])), dim=1))


def candidate(name, width, stride):
    if name == "max_pool_3x3":
        return nn.Sequential(nn.MaxPool2d(3, stride, 1), nn.BatchNorm2d(width))
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Halve(width, width)
    if name in ("sep_conv_3x3", "sep_conv_5x5"):
        return separable(width, int(name[-1]), stride)
    sys.exit(f"peer_torch: no operation {name}; use --ops lanas")


class Cell(nn.Module):
    def __init__(self, spec, before_last, last, width, reduces, halve_first, only):
        super().__init__()
        self.reduces = reduces
        if only is None or any(edge == 0 for node in only for edge, _ in node):
            self.first = Halve(before_last, width) if halve_first else self.project(before_last, width)
        if only is None or any(edge == 1 for node in only for edge, _ in node):
            self.second = self.project(last, width)
        self.choices = nn.ModuleDict()
        for node in range(spec.nodes):
            for edge in range(node + 2):
                for op, name in enumerate(spec.ops):
                    if only is None or [edge, op] in only[node]:
                        stride = 2 if reduces and edge < 2 else 1
                        self.choices[f"{node} {edge} {op}"] = candidate(name, width, stride)

    @staticmethod
    def project(inp, width):
        return nn.Sequential(nn.ReLU(), pointwise(inp, width), nn.BatchNorm2d(width))

    def forward(self, before_last, last, nodes):
        used = {edge for node in nodes for edge, _ in node}
        states = [self.first(before_last) if 0 in used else None, self.second(last) if 1 in used else None]
        for i, node in enumerate(nodes):
            a, b = (self.choices[f"{i} {edge} {op}"](states[edge]) for edge, op in node)
            states.append(a + b)
        return torch.cat(states[2:], dim=1)


class Network(nn.Module):
    """The supernet, or with only, the network of one architecture."""

    def __init__(self, spec, only=None):
        super().__init__()
        self.spec = spec
        width, stem = spec.channels, spec.stem_multiplier * spec.channels
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem))
        before_last, last, halved = stem, stem, False
        live = self.live(only) if only else [True] * spec.layers
        self.cells = nn.ModuleList()
        for layer in range(spec.layers):
            reduces = layer in (spec.layers // 3, 2 * spec.layers // 3)
            width *= 2 if reduces else 1
            part = only["reduce" if reduces else "normal"] if only else None
            cell = Cell(spec, before_last, last, width, reduces, halved, part) if live[layer] else nn.Identity()
            self.cells.append(cell)
            before_last, last, halved = last, spec.nodes * width, reduces
        self.classifier = nn.Linear(last, 10)

    def kind(self, layer):
        return "reduce" if layer in (self.spec.layers // 3, 2 * self.spec.layers // 3) else "normal"

    def live(self, arch):
        """Which cells reach the classifier."""
        live = [False] * self.spec.layers
        live[-1] = True
        for layer in reversed(range(self.spec.layers)):
            for node in arch[self.kind(layer)] if live[layer] else ():
                for edge, _ in node:
                    back = layer - 2 + edge
                    if edge < 2 and back >= 0:
                        live[back] = True
        return live

    def forward(self, images, arch):
        before_last = last = self.stem(images)
        live = self.live(arch)
        for layer, cell in enumerate(self.cells):
            out = cell(before_last, last, arch[self.kind(layer)]) if live[layer] else None
            before_last, last = last, out
        return self.classifier(last.mean(dim=(2, 3)))


def multiply_adds(net, arch, image):
    total = 0

    def count(module, _, out):
        nonlocal total
        weight = module.weight
        total += out.numel() * weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    mode = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, image, image), arch)
    net.train(mode)
    for hook in hooks:
        hook.remove()
    return total


class Job:
    """One measurement: repetitions of each architecture, after two steps to warm up."""

    def __init__(self, spec, layout):
        self.spec, self.format = spec, FORMATS[layout]
        self.images = torch.randn(spec.batch, 3, spec.image, spec.image).to(memory_format=self.format)
        self.labels = torch.randint(0, 10, (spec.batch,))
        self.times, self.work, self.params = [], [], []

    def network(self, only=None):
        net = Network(self.spec, only).to(memory_format=self.format)
        self.params.append(sum(p.numel() for p in net.parameters()))
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.025, momentum=0.9, weight_decay=3e-4)
        return net

    def train(self, net, arch):
        self.optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(net(self.images, arch), self.labels).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        self.optimizer.step()

    def score(self, net, arch):
        with torch.no_grad():
            net(self.images, arch)

    def measure(self, net, archs, run):
        for i in range(2):
            run(net, archs[i % len(archs)])
        for arch in archs:
            took = []
            for _ in range(self.spec.reps):
                start = time.perf_counter()
                run(net, arch)
                took.append(time.perf_counter() - start)
            self.times.append(took)
            self.work.append(multiply_adds(net, arch, self.spec.image))

    def run(self, what, archs):
        if what == "retrain":
            for arch in archs:
                self.measure(self.network(arch).train(), [arch], self.train)
        elif what == "eval":
            self.measure(self.network().eval(), archs, self.score)
        else:
            self.measure(self.network().train(), archs, self.train)
        best = statistics.mean(min(t) for t in self.times)
        median = statistics.mean(statistics.median(t) for t in self.times)
        madds = statistics.mean(self.work)
        return {
            "images_per_s_median": self.spec.batch / median, "images_per_s_best": self.spec.batch / best,
            "ms_per_step_median": 1e3 * median, "ms_per_step_best": 1e3 * best,
            "gflops": (2 if what == "eval" else 6) * madds * self.spec.batch / median / 1e9,
            "madds_per_image": madds, "params": sum(self.params) // len(self.params),
            "batch": self.spec.batch, "archs": len(archs), "reps": self.spec.reps,
        }


def separable_cases(layout, seconds):
    for width, side in ((16, 32), (32, 16), (64, 8)):
        for kernel in (3, 5):
            op = separable(width, kernel, 1).to(memory_format=FORMATS[layout])
            x, dy = (torch.randn(64, width, side, side).to(memory_format=FORMATS[layout]) for _ in range(2))
            x.requires_grad_(True)
            took = []
            for i in range(1000):
                start = time.perf_counter()
                x.grad = None
                op.zero_grad(set_to_none=True)
                op(x).backward(dy)
                took.append(time.perf_counter() - start)
                if i >= 4 and sum(took) > seconds:
                    break
            took = took[2:]
            yield {"op": f"sep_conv_{kernel}x{kernel}", "shape": f"64x{side}x{side}x{width}",
                   "ms_best": 1e3 * min(took), "ms_median": 1e3 * statistics.median(took)}


def shapes(args, job):
    """The network and batch of a job: what was asked for, else the reference job."""
    small = {"layers": 8, "channels": 16, "batch": 250 if job == "eval" else 64}
    wanted = {"layers": 20, "channels": 36, "batch": 96} if job == "retrain" else small
    for name in wanted:
        given = getattr(args, name)
        wanted[name] = wanted[name] if given is None else given
    return argparse.Namespace(**wanted, ops=args.ops, nodes=args.nodes, stem_multiplier=args.stem_multiplier,
                              image=args.image, reps=args.reps)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("jobs", nargs="+", choices=["step", "eval", "ops", "retrain"])
    p.add_argument("--archs-json", type=argparse.FileType(), help="what `oneshot bench archs --json` printed")
    p.add_argument("--archs", type=int, help="take only the first so many")
    p.add_argument("--layout", default="contiguous", help="contiguous, channels_last or both")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--reps", type=int, default=3)
    p.add_argument("--seconds", type=float, default=0.5, help="of each case of ops")
    for name in ("layers", "channels", "batch"):
        p.add_argument("--" + name, type=int)
    p.add_argument("--stem-multiplier", type=int, default=3)
    p.add_argument("--image", type=int, default=32)
    args = p.parse_args()
    layouts = list(FORMATS) if args.layout == "both" else [args.layout]
    if not set(layouts) <= set(FORMATS):
        p.error(f"--layout {args.layout}: want contiguous, channels_last or both")
    archs = []
    if set(args.jobs) != {"ops"}:
        if not args.archs_json:
            p.error("--archs-json is missing")
        listed = json.load(args.archs_json)
        args.ops, args.nodes, archs = listed["ops"], listed["nodes"], listed["archs"][: args.archs]

    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    capability = re.search(r"CPU capability usage: (\S+)", torch.__config__.show())
    common = {
        "torch": torch.__version__, "threads": torch.get_num_threads(),
        "isa": capability.group(1).lower() if capability else "?",
        "aten_cpu_capability": os.environ.get("ATEN_CPU_CAPABILITY", "auto"),
        "malloc": "tcmalloc" if "tcmalloc" in os.environ.get("LD_PRELOAD", "") else "libc",
    }
    for name in args.jobs:
        for layout in layouts:
            if name == "ops":
                result = {"cases": list(separable_cases(layout, args.seconds))}
            else:
                result = Job(shapes(args, name), layout).run(name, archs)
            rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(json.dumps({"bench": name, "layout": layout, **result, **common, "peak_rss_mb": rss}), flush=True)


if __name__ == "__main__":
    main()
