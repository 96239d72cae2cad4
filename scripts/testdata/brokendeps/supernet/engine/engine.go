package engine

import (
	_ "oneshot/internal/measure/peak"
	_ "oneshot/supernet"
)
