//go:build !linux

package cpu

const hasHugePages = false

func adviseHuge([]byte) {}
