#!/usr/bin/python3
"""ONNX's own full check, types and shapes included: check_onnx.py FILE... (Debian: python3-onnx)"""
import sys

import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    print(f"{path}: IR {model.ir_version}, opset {model.opset_import[0].version}, {len(model.graph.node)} operators,"
          f" {[p.key for p in model.metadata_props]}")
