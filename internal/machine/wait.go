package machine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Waited is how long threads of this process, all together, were ready to run while other
// threads had the processors; 0 where the system does not say.
func Waited() time.Duration { return schedStat(1) }

// Computed is likewise how long they had one.
func Computed() time.Duration { return schedStat(0) }

// schedStat adds up a field of the threads' schedstat, in nanoseconds.
func schedStat(field int) time.Duration {
	var sum int64
	files, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, f := range files {
		b, _ := os.ReadFile(f) // a thread may have ended
		if fields := strings.Fields(string(b)); len(fields) == 3 {
			n, _ := strconv.ParseInt(fields[field], 10, 64)
			sum += n
		}
	}
	return time.Duration(sum)
}
