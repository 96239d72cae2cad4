//go:build gorgonia_cu

package driver

import (
	"C"

	_ "gorgonia.org/cu"
	_ "oneshot/weights"
)
