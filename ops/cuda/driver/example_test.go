//go:build linux && !gorgonia_cu

package driver_test

import (
	"errors"
	"fmt"

	"oneshot/ops/cuda/driver"
)

// A program starts on machines without a GPU too: it asks for the driver, and does
// without where there is none. Load(nil) looks where drivers are usually installed.
func Example() {
	d, err := driver.Load([]string{"/nowhere/libcuda.so.1"})
	if errors.Is(err, driver.ErrNoDriver) {
		fmt.Println("no driver: computing on the processor")
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	gpu, err := d.Device(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := d.Info(gpu)
	fmt.Println(info.Name, info.SMs, "multiprocessors", err)
	// Output: no driver: computing on the processor
}
