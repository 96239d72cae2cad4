package faulttest

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"testing"
)

// NeedStrace skips a test where strace is missing or may not trace.
func NeedStrace(t testing.TB) {
	t.Helper()
	out, err := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=getppid:signal=SIGKILL:when=9", "true").CombinedOutput()
	if err != nil {
		t.Skipf("needs strace (apt-get install strace) and the right to trace: %v %s", err, out)
	}
}

// KillAt is a program that is killed with SIGKILL as one of its threads enters its n-th system call of
// a kind: strace counts the calls of each thread. The call itself does not take place.
func KillAt(call string, n int, program string, args ...string) *exec.Cmd {
	return exec.Command("strace", append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n), program}, args...)...)
}

// Killed says whether the error of a command is that SIGKILL ended it. strace dies as its child did.
func Killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}
