// Package portable writes a trained network in forms that other frameworks read: ONNX (opset 17, IR 8)
// and a PyTorch module.
//
// Both are written from the network's description (package net), so every space has them. What an
// operation is in the words of these frameworks stands in one place each: lower.go for ONNX, and
// layers.py with modules.go for PyTorch. An operation that has no such words is an error that names it, and
// TestEveryOperationIsPortable fails for it.
package portable
