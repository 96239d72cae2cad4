#!/usr/bin/python3
"""Write small CIFAR sets in the binary and in the python version.

Usage: batches.py OUT [VERSION...]   default: the versions that are committed

OUT/VERSION/ is a CIFAR-100 folder of two training images and one test image, OUT/VERSION-10/
a CIFAR-10 folder of one image per file; the images are the same in every version:

  bin        the binary version
  p0 .. p5   the python version as Python 3 and numpy write it, in that protocol
  columns    as p4, the array stored by columns
  numpy2     as p4, with the names that numpy 2 gives its modules
  py2        protocol 2 as Python 2's cPickle writes it: strings of bytes everywhere
  py2text    protocol 0 as Python 2 writes it

Python 2 is not needed: its two are put together operation by operation.
"""
import os
import pickle
import struct
import sys

import numpy as np

COMMITTED = ["bin", "py2", "py2text", "p2", "p5"]
PLANES = 3 * 32 * 32
FINE = ["class%02d" % i for i in range(100)]
TEN = "airplane automobile bird cat deer dog frog horse ship truck".split()


def images(first, n):
    """Every byte value in an order that shows a slip of one byte, row or plane."""
    i = np.arange(first * PLANES, (first + n) * PLANES, dtype=np.int64)
    return ((i * 7 + i // 32 * 3 + i // 1024 * 31 + i // PLANES * 11) % 256).astype(np.uint8).reshape(n, PLANES)


def binary(labels, data):
    rows = [np.array(l, np.uint8).reshape(-1, 1) for l in labels]
    return np.hstack(rows + [data]).tobytes()


def python2(d):
    """Protocol 2 as cPickle writes it, memo numbers included."""
    out, memo = [b"\x80\x02"], [0]

    def put():
        memo[0] += 1
        out.append(b"q" + struct.pack("<B", memo[0]))

    def dump(v):
        if isinstance(v, np.ndarray):
            out.append(b"cnumpy.core.multiarray\n_reconstruct\n")
            put()
            out.append(b"cnumpy\nndarray\n")
            put()
            out.append(b"K\x00\x85U\x01b\x87")
            put()
            out.append(b"R")
            put()
            out.append(b"(K\x01M" + struct.pack("<H", v.shape[0]) + b"M\x00\x0c\x86cnumpy\ndtype\n")
            put()
            out.append(b"U\x02u1K\x00K\x01\x87R")
            put()
            out.append(b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<I", v.nbytes) + v.tobytes())
            put()
            out.append(b"tb")
        elif isinstance(v, dict):
            out.append(b"}")
            put()
            out.append(b"(")
            for k, x in v.items():
                dump(k)
                dump(x)
            out.append(b"u")
        elif isinstance(v, list):
            out.append(b"]")
            put()
            out.append(b"(")
            for x in v:
                dump(x)
            out.append(b"e")
        elif isinstance(v, str):
            out.append(b"U" + bytes([len(v)]) + v.encode())
            if memo[0] < 255:
                put()
        else:
            out.append(b"K" + bytes([v]) if v < 256 else b"M" + struct.pack("<H", v))

    dump(d)
    return b"".join(out) + b"."


def text2(d):
    """Protocol 0 as Python 2 writes it."""
    out, memo = [], [0]

    def put():
        memo[0] += 1
        out.append(b"p%d\n" % memo[0])

    def quote(b):
        return b"S" + repr(b).encode()[1:] + b"\n"

    def dump(v):
        if isinstance(v, np.ndarray):
            out.append(b"cnumpy.core.multiarray\n_reconstruct\n")
            put()
            out.append(b"(cnumpy\nndarray\n")
            put()
            out.append(b"(I0\ntS'b'\ntR(I1\n(I%d\nI%d\ntcnumpy\ndtype\n" % v.shape)
            put()
            out.append(b"(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\n" + quote(v.tobytes()))
            put()
            out.append(b"tb")
        elif isinstance(v, dict):
            out.append(b"(d")
            put()
            for k, x in v.items():
                dump(k)
                dump(x)
                out.append(b"s")
        elif isinstance(v, list):
            out.append(b"(l")
            put()
            for x in v:
                dump(x)
                out.append(b"a")
        elif isinstance(v, str):
            out.append(quote(v.encode()))
            put()
        else:
            out.append(b"I%d\n" % v)

    dump(d)
    return b"".join(out) + b"."


def pack(version, d):
    if version == "py2":
        return python2(d)
    if version == "py2text":
        return text2(d)
    if version == "columns":
        d = {k: np.asfortranarray(v) if isinstance(v, np.ndarray) else v for k, v in d.items()}
        return pickle.dumps(d, 4)
    if version == "numpy2":
        b = pickle.dumps(d, 4)
        old, new = b"numpy.core.multiarray", b"numpy._core.multiarray"
        short = b"\x8c" + bytes([len(old)]) + old
        if short not in b:
            return b
        # One byte more in the only frame.
        size = struct.unpack("<Q", b[3:11])[0]
        return b[:3] + struct.pack("<Q", size + 1) + b[11:].replace(short, b"\x8c" + bytes([len(new)]) + new)
    return pickle.dumps(d, int(version[1:]))


def write(folder, name, raw):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(raw)


def main():
    out, versions = sys.argv[1], sys.argv[2:] or COMMITTED
    for v in versions:
        dir100, dir10 = os.path.join(out, v), os.path.join(out, v + "-10")
        for name, first, coarse, fine in (("train", 0, [19, 3], [99, 42]), ("test", 2, [7], [0])):
            data = images(first, len(fine))
            if v == "bin":
                write(dir100, name + ".bin", binary([coarse, fine], data))
            else:
                names = ["%s_%d.png" % (name, i) for i in range(len(fine))]
                write(dir100, name, pack(v, {"filenames": names, "batch_label": name, "fine_labels": fine, "coarse_labels": coarse, "data": data}))
        if v == "bin":
            write(dir100, "fine_label_names.txt", ("\n".join(FINE) + "\n\n").encode())
        else:
            write(dir100, "meta", pack(v, {"fine_label_names": FINE, "coarse_label_names": ["coarse"] * 20}))
        if not sys.argv[2:]:
            continue  # CIFAR-10 is only written when asked for
        for i, name in enumerate(["data_batch_%d" % k for k in range(1, 6)] + ["test_batch"]):
            data, labels = images(3 + i, 1), [(i * 3 + 1) % 10]
            if v == "bin":
                write(dir10, name + ".bin", binary([labels], data))
            else:
                write(dir10, name, pack(v, {"batch_label": name, "labels": labels, "data": data, "filenames": [name + ".png"]}))
        if v == "bin":
            write(dir10, "batches.meta.txt", ("\n".join(TEN) + "\n\n").encode())
        else:
            write(dir10, "batches.meta", pack(v, {"num_cases_per_batch": 1, "label_names": TEN, "num_vis": PLANES}))


if __name__ == "__main__":
    main()
