#!/usr/bin/python3
"""ONNX's own full check, types and shapes included: check_onnx.py FILE... (Debian: python3-onnx)"""
import sys

import onnx

kinds = set()
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    kinds.add((model.ir_version, model.opset_import[0].version, tuple(sorted({n.op_type for n in model.graph.node}))))
for ir, opset, operators in sorted(kinds):
    print(f"IR {ir}, opset {opset}: {', '.join(operators)}")
print(f"ONNX's checker accepts {len(sys.argv) - 1} files")
