//go:build !linux

package cpu

const hasHugePages = false

func adviseHuge([]byte) {}

func mapHuge(int) []byte { return nil }

func unmap([]byte) {}
