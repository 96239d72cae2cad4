#!/usr/bin/env python3
"""The jobs of `oneshot bench --device cuda` in PyTorch on a GPU.

    oneshot bench archs --archs 32 --json >archs.json
    peer_torch_gpu.py ceilings step score retrain --archs-json archs.json

prints one JSON object a line. The network is peer_torch.py's. Settings are the best known:
channels_last, bfloat16 autocast, cudnn.benchmark, fused SGD, images that lie on the GPU already.
step trains another architecture each step; score re-estimates the statistics of batch
normalisation on 20 batches of 64 images and classifies 5,000; retrain trains one architecture of 20
cells and 36 channels, eagerly, as a CUDA graph and through torch.compile where that works.
"""
import argparse
import contextlib
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

import peer_torch


class Peer:
    def __init__(self, args, spec):
        self.args, self.spec, self.device = args, spec, args.device
        self.format = torch.channels_last

    def sync(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def amp(self):
        if self.device == "cpu" or self.args.float32:
            return contextlib.nullcontext()
        return torch.autocast("cuda", torch.bfloat16)

    def images(self, n):
        x = torch.randn(n, 3, self.spec.image, self.spec.image, device=self.device)
        return x.to(memory_format=self.format), torch.randint(0, 10, (n,), device=self.device)

    def network(self, only=None):
        net = peer_torch.Network(self.spec, only).to(self.device).to(memory_format=self.format)
        # The fused optimizer does not take parameters without a gradient, which a supernet has.
        fused = {"fused": True} if self.device == "cuda" and only else {}
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.025, momentum=0.9, weight_decay=3e-4, **fused)
        self.params = [p for p in net.parameters()]
        return net

    def train(self, net, arch, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        with self.amp():
            loss = functional.cross_entropy(net(x, arch).float(), y)
        loss.backward()
        nn.utils.clip_grad_norm_(self.params, 5)
        self.optimizer.step()

    def rounds(self, run, steps):
        """Milliseconds of a step: the median of some rounds, and the best."""
        took = []
        for _ in range(self.args.reps):
            self.sync()
            start = time.perf_counter()
            run()
            self.sync()
            took.append(1e3 * (time.perf_counter() - start) / steps)
        return {"ms_median": statistics.median(took), "ms_best": min(took), "reps": self.args.reps}

    def step(self, archs):
        net = self.network().train()
        x, y = self.images(self.spec.batch)

        def run():
            for arch in archs:
                self.train(net, arch, x, y)

        run()
        run()  # cudnn has tried its algorithms for every shape by now
        yield {"bench": "step", "how": "eager", "batch": self.spec.batch, **self.rounds(run, len(archs))}

    def score(self, archs):
        net = self.network()
        recal = [self.images(64) for _ in range(20)]
        x, y = self.images(5000)
        for batch in (250, 500, 1000):

            def one(arch):
                for m in net.modules():
                    if isinstance(m, nn.BatchNorm2d):
                        m.reset_running_stats()
                        m.momentum = None
                with torch.no_grad(), self.amp():
                    net.train()
                    for images, _ in recal:
                        net(images, arch)
                    net.eval()
                    right = 0
                    for i in range(0, len(x), batch):
                        right = right + (net(x[i : i + batch], arch).argmax(1) == y[i : i + batch]).sum()
                return right.item()

            few = archs[:4]
            one(few[0])
            yield {"bench": "score", "how": f"eager, batches of {batch}", **self.rounds(lambda: [one(a) for a in few], len(few))}

    def retrain(self, archs):
        arch = archs[0]
        net = self.network(arch).train()
        x, y = self.images(self.spec.batch)
        steps = 4 if self.device == "cpu" else 20

        def timed(how, one):
            for _ in range(3):
                one()

            def run():
                for _ in range(steps):
                    one()

            return {"bench": "retrain", "how": how, "batch": self.spec.batch, **self.rounds(run, steps)}

        yield timed("eager", lambda: self.train(net, arch, x, y))
        if self.device == "cpu":
            return
        try:
            yield timed("cuda graph", self.captured(net, arch, x, y))
        except RuntimeError as e:
            yield {"bench": "retrain", "how": "cuda graph", "error": str(e)[:300]}
        for mode in self.args.compile:
            start = time.perf_counter()
            try:
                fast = torch.compile(net, mode=mode)
                self.train(fast, arch, x, y)
                self.sync()
                yield {"compile_s": time.perf_counter() - start, **timed("compile " + mode, lambda: self.train(fast, arch, x, y))}
            except Exception as e:  # whatever the compiler stumbles over is a result too
                yield {"bench": "retrain", "how": "compile " + mode, "error": str(e)[:300]}

    def captured(self, net, arch, x, y):
        net = peer_torch.Network(self.spec, arch).to(self.device).to(memory_format=self.format).train()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.025, momentum=0.9, weight_decay=3e-4, fused=True)
        params = list(net.parameters())

        def step():
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
                loss = functional.cross_entropy(net(x, arch).float(), y)
            loss.backward()
            nn.utils.clip_grad_norm_(params, 5)
            optimizer.step()

        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return graph.replay

    def ceilings(self, _):
        if self.device != "cuda":
            return

        def best(run, n=10):
            took = []
            for _ in range(n):
                a, b = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                a.record()
                run()
                b.record()
                b.synchronize()
                took.append(a.elapsed_time(b) / 1e3)
            return min(took)

        big = torch.randn(1 << 28, device="cuda")
        to = torch.empty_like(big)
        copy = 2 * big.numel() * 4 / best(lambda: to.copy_(big))
        a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
        matmul = 2 * 8192**3 / best(lambda: a @ b)
        yield {"bench": "ceilings", "copy_gb_per_s": copy / 1e9, "bf16_tflop_per_s": matmul / 1e12}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("jobs", nargs="+", choices=["ceilings", "step", "score", "retrain"])
    p.add_argument("--archs-json", type=argparse.FileType(), required=True)
    p.add_argument("--archs", type=int, default=32)
    p.add_argument("--batch", type=int, default=96)
    p.add_argument("--reps", type=int, default=5)
    p.add_argument("--device", default="cuda")
    p.add_argument("--float32", action="store_true")
    p.add_argument("--layers", type=int, help="cells of retrain's network (20)")
    p.add_argument("--compile", nargs="*", default=[], metavar="MODE", help="torch.compile modes for retrain")
    args = p.parse_args()
    listed = json.load(args.archs_json)
    archs = listed["archs"][: args.archs]
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    about = {"torch": torch.__version__, "device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu"}
    for job in args.jobs:
        layers, channels = (args.layers or 20, 36) if job == "retrain" else (8, 16)
        spec = argparse.Namespace(layers=layers, channels=channels, batch=args.batch, ops=listed["ops"], nodes=listed["nodes"], stem_multiplier=3, image=32)
        for result in getattr(Peer(args, spec), job)(archs):
            print(json.dumps({**result, **about}), flush=True)


if __name__ == "__main__":
    main()
