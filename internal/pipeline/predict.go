package pipeline

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

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
	File string `json:"file"`
	// Name is File's bytes where they are no UTF-8, which JSON cannot say; base64 there.
	Name []byte  `json:"file_bytes,omitempty"`
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
// classes of each. Files that cannot be decoded are left out, and bad is told of them. As many images go through the
// network at a time as room has memory for.
func Predict(ctx context.Context, u *ui.UI, x *Exported, v data.View, classes, files []string, top int, room Room, bad func(file string, err error), see func(Prediction) error) error {
	// Nothing is known of the images yet; a photograph of 12 megapixels takes about this to be decoded.
	batch, restore, err := room.fit(u, x, len(files), 0, int64(runtime.GOMAXPROCS(0))*readerBytes)
	if err != nil {
		return err
	}
	defer restore()
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
		for p := range v.Batches(files, batch, func(file string, err error) { done++; bad(file, err) }) {
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
			p := Prediction{File: file, Top: guesses}
			if !utf8.ValidString(file) {
				p.Name = []byte(file)
			}
			if err := see(p); err != nil {
				return err
			}
		}
		done += b.N
		m.Update(done, b.N, "")
		return nil
	})
}

// likeliest are the top classes with their probabilities. Of equal ones the lower class is first.
func likeliest(logits []float32, classes []string, top int) ([]Guess, error) {
	p := softmaxOf(logits)
	if math.IsNaN(p.sum) || math.IsInf(p.sum, 0) {
		return nil, &supernet.NoNumberError{Of: "outputs of the network", Why: "no numbers", Images: 1}
	}
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	var out []Guess
	for _, i := range order[:min(top, len(order))] {
		out = append(out, Guess{Class: classes[i], Probability: p.of(i)})
	}
	return out, nil
}

// softmax are the probabilities of classes.
type softmax struct {
	logits []float32
	first  int     // the likeliest class; of equal ones the lowest, as in the accuracy
	sum    float64 // of the exponentials of the logits less that of first
}

// softmaxOf is the softmax of logits, of which there is at least one. Of one that is no number the sum is none.
func softmaxOf(logits []float32) softmax {
	p := softmax{logits: logits}
	for i, v := range logits {
		if v > logits[p.first] {
			p.first = i
		}
	}
	for i := range logits {
		p.sum += p.exp(i)
	}
	return p
}

// of is the probability of a class.
func (p softmax) of(class int) float64 { return p.exp(class) / p.sum }

func (p softmax) exp(class int) float64 {
	return math.Exp(float64(p.logits[class]) - float64(p.logits[p.first]))
}
