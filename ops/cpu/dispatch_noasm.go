//go:build !amd64 || noasm

package cpu

func bestISA() string { return isaNone }

func use(string) {}
