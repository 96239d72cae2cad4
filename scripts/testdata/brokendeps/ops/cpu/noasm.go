//go:build noasm

package cpu

import _ "oneshot/weights"
