"""Reads a safetensors file with nothing but torch.

As a module: tensors = load("model.safetensors"); net.load_state_dict(tensors)
As a program: prints one JSON line for each tensor, with the SHA-256 of its
little-endian bytes, for the test of the Go writer:

    python3 read_safetensors.py model.safetensors
"""
import hashlib
import json
import struct
import sys

import torch

DTYPES = {"F32": torch.float32, "I64": torch.int64}


def load(path):
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
        data = bytearray(f.read())
    if header.pop("__metadata__").get("format") != "pt":
        raise ValueError(path + ": not written for PyTorch")
    tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        # A tensor without elements has no bytes, which frombuffer refuses.
        flat = torch.frombuffer(data[begin:end] or bytearray(8), dtype=DTYPES[info["dtype"]])
        tensors[name] = flat[: 0 if begin == end else None].reshape(info["shape"])
    return tensors


if __name__ == "__main__":
    for name, t in load(sys.argv[1]).items():
        sha = hashlib.sha256(t.contiguous().numpy().tobytes()).hexdigest()
        print(json.dumps({"name": name, "dtype": str(t.dtype), "shape": list(t.shape), "sha256": sha}))
