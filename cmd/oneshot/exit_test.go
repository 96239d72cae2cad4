package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/data"
	"oneshot/supernet"
	"oneshot/weights"
)

func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("any"), exitFailure},
		{usageError("", "x"), exitUsage},
		{&data.ConfigError{Field: "dir"}, exitUsage},
		{&data.FormatError{File: "f"}, exitInvalid},
		{weights.ErrCorrupt, exitInvalid},
		{weights.ErrNewer, exitInvalid},
		{&weights.FormatError{Kind: weights.ErrCorrupt}, exitInvalid},
		{&weights.NonFiniteError{}, exitDiverged},
		{&supernet.DivergedError{}, exitDiverged},
		{errStopped, exitStopped},
		{context.Canceled, exitStopped},
		{syscall.ENOSPC, exitSpace},
		{syscall.EFBIG, exitSpace},
		{syscall.EDQUOT, exitSpace},
		{syscall.ENOMEM, exitSpace},
		{syscall.EPIPE, exitOK},
		{fs.ErrPermission, exitFailure},
		{withCode(errors.New("plain"), exitInvalid, ""), exitInvalid},
		{withCode(syscall.ENOSPC, exitInvalid, ""), exitSpace},
	} {
		var out bytes.Buffer
		err := tc.err
		if err != nil {
			err = fmt.Errorf("while testing: %w", err)
		}
		if got := report(&out, err); got != tc.want {
			t.Errorf("%v: exit code %d, want %d", tc.err, got, tc.want)
		}
		if strings.Contains(out.String(), "\nhint: \n") {
			t.Errorf("%v: empty hint", tc.err)
		}
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		codes := make(chan int, 1)
		var out bytes.Buffer
		ctx, s := watchSignals(context.Background(), &out, func(c int) { codes <- c })
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
		if !errors.Is(context.Cause(ctx), errStopped) {
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
