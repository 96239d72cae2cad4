package faulttest

import (
	"os"
	"testing"
)

// All says that fault tests take their full length: $ONESHOT_FAULTS is all.
func All() bool { return os.Getenv("ONESHOT_FAULTS") == "all" }

// Times is how many faults a test injects: few among the other tests, and all at full length.
func Times(few, all int) int {
	switch {
	case All():
		return all
	case testing.Short():
		return (few + 2) / 3
	}
	return few
}
