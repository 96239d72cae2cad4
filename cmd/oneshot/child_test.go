package main

import (
	"bytes"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/fault"
)

// child is a verb that runs in a process of its own, which leads a group of its own.
type child struct {
	cmd  *exec.Cmd
	out  bytes.Buffer // both outputs; to be read when it has ended
	done chan struct{}
}

// startChild starts a command line of the program.
func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	return startCommand(t, exec.Command(program(t), args...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &c.out, &c.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() { c.send(syscall.SIGKILL) })
	return c
}

// ended says whether the process is no more.
func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// send signals its group, unless it has ended.
func (c *child) send(sig syscall.Signal) {
	if !c.ended() {
		syscall.Kill(-c.cmd.Process.Pid, sig)
	}
}

// wait waits for its end and returns the exit code; killed says that SIGKILL ended it.
func (c *child) wait(t *testing.T) (code int, killed bool) {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(5 * time.Minute):
		c.send(syscall.SIGKILL)
		<-c.done
		t.Fatalf("still running after five minutes\n%s", &c.out)
	}
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return c.cmd.ProcessState.ExitCode(), status.Signaled() && status.Signal() == syscall.SIGKILL
}

// within waits so long for its end, and reports whether it has come.
func (c *child) within(d time.Duration) bool {
	select {
	case <-c.done:
		return true
	case <-time.After(d):
		return false
	}
}

// complete runs a command line to its end.
func complete(t *testing.T, args ...string) {
	t.Helper()
	c := startChild(t, args...)
	if code, _ := c.wait(t); code != fault.ExitOK {
		t.Fatalf("%q: %v\n%s", args, c.cmd.ProcessState, &c.out)
	}
}
