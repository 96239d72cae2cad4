#!/usr/bin/python3
"""LaNet with its whole recipe on CIFAR-10 in PyTorch, for the accuracy that oneshot is held against.

    lanet_peer.py DATA_DIR OUT --epochs 20 --seed 1
    lanet_peer.py DATA_DIR OUT --speed 60            images a second over 60 steps, and no training

DATA_DIR has the binary version of CIFAR-10, of which the training files may hold fewer images. The
network has --channels and --cells; batch 32, SGD of momentum 0.9, learning rate 0.025 along a cosine to
0, weight decay 3e-4, gradients clipped at norm 5, auxiliary head of weight 0.4, drop-path up to 0.2,
averaged weights of decay 0.9999; images as lanet_recipe.py says. OUT gets a line of JSON an epoch in
log.jsonl and state.pt, from which the same command goes on. The last line has the test accuracies after
the last epoch, of the weights and of the averaged weights; no other epoch looks at the test images.
"""
import argparse
import json
import math
import os
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "supernet", "testdata"))

import torch
from torch import nn

from lanet_recipe import Average, Training, batches, normalise, read, soft_cross_entropy
from published import published, shape
from torchnet import Network

LR, MOMENTUM, DECAY, CLIP, AUX, DROP_PATH, EMA = 0.025, 0.9, 3e-4, 5, 0.4, 0.2, 0.9999


class Trainer:
    """A network in training, and where it stands."""

    def __init__(self, args, steps):
        arch = published("lanet")
        self.net = Network(shape(arch, args.cells, args.channels, aux=True), arch)
        self.net = self.net.to(memory_format=torch.channels_last) if args.layout == "channels_last" else self.net
        self.layout = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}[args.layout]
        self.optimizer = torch.optim.SGD(self.net.parameters(), LR, MOMENTUM, weight_decay=DECAY, foreach=True)
        self.average, self.step, self.steps = Average(self.net, EMA), 0, steps

    def train(self, x, targets):
        rate = LR * (1 + math.cos(math.pi * self.step / max(1, self.steps - 1))) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.net.drop_path = DROP_PATH * self.step / self.steps
        self.optimizer.zero_grad(set_to_none=True)
        logits, aux = self.net(x.contiguous(memory_format=self.layout))
        loss = soft_cross_entropy(logits, targets) + AUX * soft_cross_entropy(aux, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.optimizer.step()
        self.average.update(self.net)
        self.step += 1
        return loss.item()

    def accuracy(self, pixels, labels):
        """Part of the images that are classified rightly, in mode of inference."""
        self.net.eval()
        right = 0
        with torch.no_grad():
            for i in range(0, len(pixels), 250):
                x = normalise(pixels[i:i + 250]).contiguous(memory_format=self.layout)
                right += (self.net(x)[0].argmax(1).numpy() == labels[i:i + 250]).sum().item()
        self.net.train()
        return right / len(pixels)

    def state(self):
        return {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step,
                "average": self.average.state, "updates": self.average.updates}

    def resume(self, state):
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.average.updates = state["step"], state["updates"]
        self.average.state = {k: state["average"][k] for k in self.average.state}


def speed(trainer, training, args):
    """Images a second over some steps, batches and all. The processor's time is also of what waits in vain
    for the other thread."""
    trainer.net.train()
    took, waits, processor = [], [], 0
    while len(took) < args.speed + 5:
        mark = time.perf_counter()
        for x, targets in batches(training, args.batch, args.workers):
            waits.append(time.perf_counter() - mark)
            trainer.train(x, targets)
            took.append(time.perf_counter() - mark)
            if len(took) == 5:  # the first steps allocate
                processor = time.process_time()
            if len(took) == args.speed + 5:
                break
            mark = time.perf_counter()
    processor = (time.process_time() - processor) / args.speed
    took, waits = took[5:], waits[5:]
    print(json.dumps({
        "images_s": args.batch / statistics.mean(took), "ms_per_step": 1e3 * statistics.mean(took),
        "ms_per_step_median": 1e3 * statistics.median(took), "ms_per_step_best": 1e3 * min(took),
        "ms_wait": 1e3 * statistics.mean(waits), "ms_processor": 1e3 * processor, "layout": args.layout,
        "workers": args.workers, "threads": args.threads, "params": sum(p.numel() for p in trainer.net.parameters()),
    }))


def write(out, row):
    with open(os.path.join(out, "log.jsonl"), "a") as f:
        f.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def train(trainer, training, args):
    os.makedirs(args.out, exist_ok=True)
    kept = os.path.join(args.out, "state.pt")
    if os.path.exists(kept):
        trainer.resume(torch.load(kept))
    per_epoch = trainer.steps // args.epochs
    trainer.net.train()
    for epoch in range(trainer.step // per_epoch, args.epochs):
        torch.manual_seed(1000 * args.seed + epoch)  # so that a run that was stopped goes on alike
        start, total = time.perf_counter(), 0
        for x, targets in batches(training, args.batch, args.workers):
            total += trainer.train(x, targets)
        if not math.isfinite(total):
            sys.exit(f"lanet_peer: epoch {epoch + 1}: the loss is {total}")
        torch.save(trainer.state(), kept + ".new")
        os.replace(kept + ".new", kept)
        write(args.out, {"epoch": epoch + 1, "of": args.epochs, "train_loss": total / per_epoch,
                         "seconds": time.perf_counter() - start})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data_dir")
    p.add_argument("out")
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--cells", type=int, default=8)
    p.add_argument("--channels", type=int, default=16)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--workers", type=int, default=0, help="processes that make batches")
    p.add_argument("--layout", choices=["channels_last", "contiguous"], default="channels_last")
    p.add_argument("--speed", type=int, help="only time so many steps")
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    training = Training(*read(args.data_dir, "data_batch_?.bin"))
    trainer = Trainer(args, args.epochs * (len(training.pixels) // args.batch))
    if args.speed:
        speed(trainer, training, args)
        return
    train(trainer, training, args)
    pixels, labels = read(args.data_dir, "test_batch.bin")
    row = {"seed": args.seed, "train_images": len(training.pixels), "test_images": len(pixels), "epochs": args.epochs,
           "test_top1": trainer.accuracy(pixels, labels)}
    trainer.net.load_state_dict({**trainer.net.state_dict(), **trainer.average.state})
    write(args.out, {**row, "test_top1_ema": trainer.accuracy(pixels, labels), "torch": torch.__version__})


if __name__ == "__main__":
    main()
