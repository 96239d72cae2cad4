package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/fault"
)

func TestSecondSignalEndsAtOnce(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		codes := make(chan int, 1)
		var out bytes.Buffer
		ctx, s := watchSignals(context.Background(), "saving", &out, func(c int) { codes <- c })
		kill := func() {
			if err := syscall.Kill(os.Getpid(), sig); err != nil {
				t.Fatal(err)
			}
		}
		kill()
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Fatal("the first signal did nothing")
		}
		if !errors.Is(context.Cause(ctx), fault.ErrStopped) {
			t.Errorf("cause %v", context.Cause(ctx))
		}
		if len(codes) > 0 {
			t.Error("the first signal ended the process")
		}
		kill()
		select {
		case got := <-codes:
			if got != want {
				t.Errorf("%v: exit code %d, want %d", sig, got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the second signal did nothing")
		}
		s.close()
	}
}
