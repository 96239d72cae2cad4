package pipeline

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/fault"
	"oneshot/internal/ui"
	"oneshot/supernet"
)

// Guess is a class and its probability.
type Guess struct {
	Class       string  `json:"class"`
	Probability float64 `json:"probability"`
}

// Prediction is what a network says of an image.
type Prediction struct {
	File string  `json:"file"`
	Top  []Guess `json:"top"` // the likeliest first
}

// Pictures lists the image files that arguments name: files, and all regular files below folders in the order of their
// names, without those that begin with a dot. named says which of them were named themselves.
func Pictures(args []string) (files []string, named map[string]bool, err error) {
	named = map[string]bool{}
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, nil, fault.Usage("", "%w", err)
		}
		if !info.IsDir() {
			files, named[arg] = append(files, arg), true
			continue
		}
		root := arg + string(filepath.Separator) // a link to a folder is walked too
		err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			switch hidden := path != root && strings.HasPrefix(e.Name(), "."); {
			case hidden && e.IsDir():
				return filepath.SkipDir
			case !hidden && !e.IsDir():
				files = append(files, filepath.Clean(path))
			}
			return nil
		})
		if err != nil {
			return nil, nil, fault.WithCode(err, fault.ExitInvalid, "")
		}
	}
	return files, named, nil
}

// Predict shows see what the network makes of each image, in the order of the files; top is how many
// classes of each. Files that cannot be decoded are left out, and bad is told of them.
func Predict(ctx context.Context, u *ui.UI, x *Exported, v data.View, classes, files []string, top int, bad func(file string, err error), see func(Prediction) error) error {
	m := u.Meter("predict", 0, len(files))
	defer m.Finish()
	e, err := supernet.NewEvaluator(x.Net)
	if err != nil {
		return err
	}
	defer e.Close()
	done := 0
	var now []string // the files of the batch
	batches := func(yield func(*data.Batch) bool) {
		for p := range v.Batches(files, evalBatch, func(file string, err error) { done++; bad(file, err) }) {
			if now = p.Files; !yield(p.Batch) {
				return
			}
		}
	}
	return e.Outputs(ctx, x.Arch, iter.Seq[*data.Batch](batches), func(b *data.Batch, logits []float32) error {
		k := len(logits) / b.N
		for i, file := range now {
			guesses, err := likeliest(logits[i*k:(i+1)*k], classes, top)
			if err != nil {
				return fault.New(fault.ExitDiverged, "", "%s: %s: %w", x.File, file, err)
			}
			if err := see(Prediction{File: file, Top: guesses}); err != nil {
				return err
			}
		}
		done += b.N
		m.Update(done, b.N, "")
		return nil
	})
}

// likeliest are the top classes with their probabilities, the softmax of the logits. Of equal ones the
// lower class is first.
func likeliest(logits []float32, classes []string, top int) ([]Guess, error) {
	most := slices.Max(logits)
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v - most))
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, &supernet.NoNumberError{Of: "outputs of the network", Why: "no numbers", Images: 1}
	}
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	var out []Guess
	for _, i := range order[:min(top, len(order))] {
		out = append(out, Guess{Class: classes[i], Probability: math.Exp(float64(logits[i]-most)) / sum})
	}
	return out, nil
}
