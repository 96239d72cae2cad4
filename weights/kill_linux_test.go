package weights

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/atomicfile"
	"oneshot/internal/faulttest"
)

// The test binary runs itself as the process that saves and is killed, or that
// may write no more than so many bytes to a file.
const (
	envDir   = "WEIGHTS_TEST_DIR"
	envTwin  = "WEIGHTS_TEST_TWIN"
	envLimit = "WEIGHTS_TEST_FSIZE"
	exitFBIG = 42 // the save failed with EFBIG
)

func init() {
	// strace counts calls by thread; all of the child's are made on this one.
	if os.Getenv(envDir) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(envDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// child saves step 2 and returns the exit code.
func child(dir string) int {
	if s := os.Getenv(envLimit); s != "" {
		limit, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			panic(err)
		}
		signal.Ignore(syscall.SIGXFSZ) // else the limit kills
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			panic(err)
		}
	}
	save := goodSave
	if name := os.Getenv(envTwin); name != "" {
		save = twins[name]
	}
	err := save(atomicfile.OS, dir, 2, sampleCheckpoint(2, 2), 1)
	switch {
	case errors.Is(err, syscall.EFBIG):
		return exitFBIG
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// killedCalls are the system calls of a save that change or open something.
var killedCalls = []string{"openat", "write", "fsync", "mkdirat", "renameat", "unlinkat", "close"}

// sweepKills kills a saving process with SIGKILL at its n-th call of each kind,
// for every n it reaches, and returns the number of kills by kind.
func sweepKills(t *testing.T, twin string, calls []string) (kills map[string]int, fault error) {
	const bound = 300 // calls of one kind; far more than a save makes
	save := goodSave
	if twin != "" {
		save = twins[twin]
	}
	s := scenarios["second"]
	kills = map[string]int{}
	for _, call := range calls {
		for n := 1; ; n++ {
			if n > bound {
				t.Fatalf("more than %d calls of %s", bound, call)
			}
			_, dir := s.start(t)
			cmd := faulttest.KillAt(call, n, os.Args[0])
			cmd.Env = append(os.Environ(), envDir+"="+dir, envTwin+"="+twin)
			out, err := cmd.CombinedOutput()
			if err == nil {
				if err := s.checkLoad(dir, true); err != nil {
					return kills, err
				}
				break // the process ended before its n-th call
			}
			if !faulttest.Killed(err) {
				t.Fatalf("%v: %v\n%s", cmd, err, out)
			}
			kills[call]++
			err = s.checkLoad(dir, false)
			if err == nil {
				err = checkNextSave(dir, save)
			}
			if err != nil {
				return kills, fmt.Errorf("killed at %s %d: %w", call, n, err)
			}
		}
	}
	return kills, nil
}

func TestSaveSurvivesKill(t *testing.T) {
	faulttest.NeedStrace(t)
	calls := killedCalls
	if testing.Short() {
		calls = []string{"fsync", "renameat", "unlinkat"}
	}
	kills, fault := sweepKills(t, "", calls)
	if fault != nil {
		t.Error(fault)
	}
	// The calls that a save of step 2 and the removal of step 1 cannot do without.
	for call, least := range map[string]int{"fsync": 6, "renameat": 2, "unlinkat": 4, "mkdirat": 1, "openat": 4, "write": 3, "close": 4} {
		if slices.Contains(calls, call) && kills[call] < least {
			t.Errorf("only %d kills at %s", kills[call], call)
		}
	}
	t.Logf("kills: %v", kills)
	for _, twin := range []string{"no temporary directory", "older removed before", "removed in place"} {
		if _, fault := sweepKills(t, twin, []string{"fsync", "unlinkat"}); fault == nil {
			t.Errorf("a save with %s passes", twin)
		}
	}
}

// A limit on the file size stands for a full disk: real short writes, without
// the rights to make a small file system.
func TestSaveSurvivesFullDisk(t *testing.T) {
	s := scenarios["second"]
	try := func(twin string, limit int) (full bool, fault error) {
		_, dir := s.start(t)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), envDir+"="+dir, envTwin+"="+twin, envLimit+"="+strconv.Itoa(limit))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		full = errors.As(err, &exit) && exit.ExitCode() == exitFBIG
		if err != nil && !full {
			t.Fatalf("limit %d: %v\n%s", limit, err, out)
		}
		if err := s.checkLoad(dir, !full); err != nil {
			return full, err
		}
		for _, name := range names(t, dir) {
			if isTempName(name) {
				return full, fmt.Errorf("%s is left", name)
			}
		}
		return full, nil
	}
	_, dir := s.start(t)
	quickSave(t, dir, s.next, 1)
	size := len(readFile(t, filepath.Join(dir, checkpointName(2), modelFile)))
	hits := 0
	for _, limit := range []int{0, 1, 8, 20, 100, size / 2, size - 1, size, 1 << 20} {
		full, fault := try("", limit)
		if fault != nil {
			t.Errorf("limit %d: %v", limit, fault)
		}
		if full != (limit < size) {
			t.Errorf("limit %d of %d bytes: full is %t", limit, size, full)
		}
		if full {
			hits++
		}
	}
	if hits == 0 {
		t.Error("no write failed")
	}
	t.Logf("%d full disks", hits)
	if _, fault := try("write errors dropped", size-1); fault == nil || !strings.Contains(fault.Error(), "DONE says") {
		t.Errorf("a save that drops write errors: %v", fault)
	}
}

// A named pipe in the place of a file must not block the reader.
func TestPipesAreRefused(t *testing.T) {
	dir := t.TempDir()
	quickSave(t, dir, sampleCheckpoint(1, 1), 1)
	for _, name := range []string{modelFile, doneFile} {
		path := filepath.Join(dir, checkpointName(1), name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Skip("no named pipes here: ", err)
		}
		done := make(chan error, 1)
		go func() {
			_, _, err := LoadLatest(dir)
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, ErrCorrupt) {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("reading %s blocks", name)
		}
	}
}
