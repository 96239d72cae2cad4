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
	"oneshot/ops/cuda"
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

// TestTraining: what ends a training is told with the keys of its own section, by what it is and not by what its hint says.
func TestTraining(t *testing.T) {
	for _, kind := range []error{&supernet.DivergedError{}, &cuda.MemoryError{}} {
		err := Training("retrain", fmt.Errorf("retrain: %w", kind))
		both, own := Classify(kind), Classify(err)
		if own.Code != both.Code || !strings.Contains(own.Hint, "retrain.") || strings.Contains(own.Hint, " train.") || !strings.Contains(both.Hint, "train.") {
			t.Errorf("%T: %d, %q; %d, %q", kind, own.Code, own.Hint, both.Code, both.Hint)
		}
		known := WithCode(errors.New("another"), ExitFailure, both.Hint) // which only says the same
		if got := Training("retrain", known); got != known {
			t.Errorf("%q became %q", both.Hint, Classify(got).Hint)
		}
	}
	if err := fs.ErrPermission; Training("train", err) != err {
		t.Error("an error of another kind is another")
	}
}

func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{"": "''", "a b": "'a b'", "it's": `'it'\''s'`, "runs/x-1.y": "runs/x-1.y", "lanas2:0.a+1.b,c": "lanas2:0.a+1.b,c", "$HOME": "'$HOME'"} {
		if got := ShellWord(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
