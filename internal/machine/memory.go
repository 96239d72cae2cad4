package machine

import (
	"os"
	"strconv"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// AvailableMemory is what can still be allocated, in bytes: the kernel's estimate, or
// what the control groups of this process leave it, whichever is less; 0 where it is
// unknown.
func AvailableMemory() int64 {
	limit, err := memlimit.FromCgroup() // the smallest of all groups around the process
	if err != nil {                     // none, or no control groups
		limit = 0
	}
	return available(readKB("/proc/meminfo", "MemAvailable:"), int64(min(limit, 1<<62)), groupMemory())
}

// available is the least of free and what a limit leaves beside used; 0 means unknown,
// for limit none.
func available(free, limit, used int64) int64 {
	if left := limit - used; limit > 0 && left > 0 && (free == 0 || left < free) {
		return left
	}
	return free
}

// groupMemory is what the container of this process uses, or where there is none,
// what the process does; in bytes.
func groupMemory() int64 {
	for _, path := range []string{"/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes"} {
		if b, err := os.ReadFile(path); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil {
				return n
			}
		}
	}
	return readKB("/proc/self/status", "VmRSS:")
}

// TotalMemory is all that a process could ever have on this machine, in bytes: its memory and its swap space, or what the
// control groups of this process allow, whichever is less; 0 where it is unknown.
func TotalMemory() int64 {
	total := readKB("/proc/meminfo", "MemTotal:")
	if total == 0 {
		return 0
	}
	total += readKB("/proc/meminfo", "SwapTotal:")
	if limit, err := memlimit.FromCgroup(); err == nil && limit > 0 && limit < uint64(total) {
		return int64(limit)
	}
	return total
}

// PeakResident is the most memory this process ever had resident, in bytes; 0 where
// it is unknown.
func PeakResident() int64 { return readKB("/proc/self/status", "VmHWM:") }

// readKB finds a line such as "VmHWM:   12 kB" and returns the bytes; 0 without one.
func readKB(path, name string) int64 {
	b, _ := os.ReadFile(path)
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}
