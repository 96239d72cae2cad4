package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"oneshot/data"
	"oneshot/data/source"
	"oneshot/supernet"
	"oneshot/weights"
)

// TestDidYouMean: what is only a little like the word is not suggested.
func TestDidYouMean(t *testing.T) {
	keys := []string{"seed", "data.name", "train.lr", "train.clip", "train.weight_decay", "run.device"}
	devices := []string{"auto", "cpu", "cuda"}
	for _, tc := range []struct {
		word  string
		among []string
		want  string
	}{
		{"train.lrr", keys, "train.lr"},
		{"lr", keys, "train.lr"},
		{"train.weightDecay", keys, "train.weight_decay"},
		{"trian.lr", keys, "train.lr"},
		{"train.nope", keys, ""},
		{"nope", keys, ""},
		{"sed", keys, "seed"},
		{"gpu", devices, "cuda"},
		{"GPU", devices, "cuda"},
		{"cpuu", devices, "cpu"},
		{"gpu", keys, ""},
		{"", devices, ""},
	} {
		want := ""
		if tc.want != "" {
			want = fmt.Sprintf("; did you mean %q?", tc.want)
		}
		if got := DidYouMean(tc.word, tc.among); got != want {
			t.Errorf("%q: %q, want %q", tc.word, got, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, ExitOK},
		{errors.New("any"), ExitFailure},
		{Usage("", "x"), ExitUsage},
		{&data.ConfigError{Field: "dir"}, ExitUsage},
		{&source.FileError{File: "f"}, ExitInvalid},
		{&source.Fault{Msg: "is empty"}, ExitInvalid},
		{&data.BadSampleError{Last: &source.Fault{}, Found: 1}, ExitInvalid},
		{&data.BadSampleError{Last: &source.Fault{Err: fs.ErrPermission}, Found: 4, Limit: 3}, ExitInvalid},
		{&source.FileError{File: "f", Err: fs.ErrPermission}, ExitInvalid},
		{weights.ErrCorrupt, ExitInvalid},
		{weights.ErrNewer, ExitInvalid},
		{&weights.FormatError{Kind: weights.ErrCorrupt}, ExitInvalid},
		{&weights.NonFiniteError{}, ExitDiverged},
		{fmt.Errorf("%w: %w", weights.ErrCorrupt, &weights.NonFiniteError{}), ExitInvalid},
		{&supernet.NoNumberError{}, ExitDiverged},
		{&supernet.DivergedError{}, ExitDiverged},
		{ErrStopped, ExitStopped},
		{context.Canceled, ExitStopped},
		{syscall.ENOSPC, ExitSpace},
		{syscall.EFBIG, ExitSpace},
		{syscall.EDQUOT, ExitSpace},
		{syscall.ENOMEM, ExitSpace},
		{syscall.EPIPE, ExitOK},
		{fs.ErrPermission, ExitFailure},
		{WithCode(errors.New("plain"), ExitInvalid, ""), ExitInvalid},
		{WithCode(syscall.ENOSPC, ExitInvalid, ""), ExitSpace},
	} {
		var out bytes.Buffer
		err := tc.err
		if err != nil {
			err = fmt.Errorf("while testing: %w", err)
		}
		if got := Report(&out, err); got != tc.want {
			t.Errorf("%v: exit code %d, want %d", tc.err, got, tc.want)
		}
		if strings.Contains(out.String(), "\nhint: \n") {
			t.Errorf("%v: empty hint", tc.err)
		}
	}
}
