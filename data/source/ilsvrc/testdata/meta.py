"""Writes miniatures of the devkit's meta.mat as scipy does: meta.mat and meta_compressed.mat.

Five synsets with the fields of the original; the last two have children, and so are no classes.
IDs are not in the order of WNIDs, as in the original. Run in this folder.
"""

import numpy as np
from scipy.io import savemat

rows = [
    (1, "n02119789", "kit fox, Vulpes macrotis", 0),
    (2, "n02100735", "English setter", 0),
    (3, "n01440764", "tench, Tinca tinca", 0),
    (4, "n00001740", "entity", 2),
    (5, "n02084071", "dog, domestic dog, Café", 1),
]
fields = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images"]
synsets = np.zeros((len(rows), 1), dtype=[(f, object) for f in fields])
for i, (number, wnid, words, children) in enumerate(rows):
    synsets[i, 0] = (
        np.array([[number]], dtype=np.uint16 if i % 2 else np.float64),
        wnid,
        words,
        "" if i == 1 else "a gloss",
        np.array([[float(children)]]),
        np.array([[1.0, 2.0][:children]]),
        np.array([[0]], dtype=np.int8),
        np.array([[1300]], dtype=np.int32),
    )
for name, compress in [("meta.mat", False), ("meta_compressed.mat", True)]:
    savemat(name, {"other": np.arange(5.0), "synsets": synsets}, do_compression=compress)
