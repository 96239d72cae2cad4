package pipeline

import (
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// batchOf makes a batch of flat grey images, image i of grey i, whose logits say how sure the network is.
func batchOf(side int, labels []int32) *data.Batch {
	b := &data.Batch{N: len(labels), Y: labels, X: make([]float32, len(labels)*side*side*3)}
	for i := range labels {
		for j := range side * side * 3 {
			b.X[i*side*side*3+j] = float32(i) / 255
		}
	}
	return b
}

// TestSeeing: counts, and which images are kept whatever the batches are.
func TestSeeing(t *testing.T) {
	const classes, side, n = 3, 2, 60
	labels, logits := make([]int32, n), make([]float32, n*classes)
	for i := range n {
		labels[i] = int32(i % classes)
		guess := i % classes
		if i%4 == 0 {
			guess = (guess + 1) % classes
		}
		logits[i*classes+guess] = float32(i%13) + 1
	}
	see := func(size int) *rundir.Seen {
		s := newSeeing(&data.Dataset{Classes: make([]string, classes), Image: side, Std: [3]float32{1, 1, 1}})
		whole := batchOf(side, labels)
		for from := 0; from < n; from += size {
			to := min(n, from+size)
			s.see(&data.Batch{N: to - from, Y: whole.Y[from:to], X: whole.X[from*side*side*3 : to*side*side*3]}, logits[from*classes:to*classes])
		}
		return s.seen("x")
	}
	got := see(n)
	if !reflect.DeepEqual(got, see(7)) {
		t.Error("what is kept depends on the batches")
	}
	right, all := 0, 0
	for y, row := range got.Confusion {
		for x, c := range row {
			all += c
			if x == y {
				right += c
			}
		}
	}
	if all != n || right != n-n/4 {
		t.Errorf("%d images, %d of them right: %v", all, right, got.Confusion)
	}
	if len(got.Wrong) != wrongExamples || len(got.Right) != 2*rightExamples {
		t.Fatalf("%d wrong and %d right", len(got.Wrong), len(got.Right))
	}
	ties := false
	for i, e := range got.Wrong {
		tie := i > 0 && e.Probability == got.Wrong[i-1].Probability
		ties = ties || tie
		if e.Label == e.Guess || i > 0 && e.Probability > got.Wrong[i-1].Probability || tie && e.Image < got.Wrong[i-1].Image || len(e.RGB) != side*side*3 || int(e.RGB[0]) != e.Image {
			t.Errorf("wrong %d: %+v", i, e)
		}
	}
	for i, e := range got.Right {
		up := i > 0 && e.Probability > got.Right[i-1].Probability
		if e.Label != e.Guess || i < rightExamples && up || i > rightExamples && e.Probability < got.Right[i-1].Probability || !(e.Probability > 0 && e.Probability <= 1) {
			t.Errorf("right %d: %+v", i, e)
		}
	}
	if !ties {
		t.Error("no two are equally sure")
	}
	if p := softmaxOf([]float32{1000, 0, 0}).of(0); p != 1 {
		t.Errorf("a sure network has %v", p)
	}
	if p := softmaxOf([]float32{0, 0, 0, 0}).of(2); !(math.Abs(p-0.25) <= 1e-12) {
		t.Errorf("one of four has %v", p)
	}
	// What a test keeps of an image is what predict says of it.
	row := []float32{0.1, -3.7, 2.3000002, 2.3, 2.3000002}
	g, err := likeliest(row, []string{"a", "b", "c", "d", "e"}, 1)
	if p := softmaxOf(row); err != nil || g[0].Class != "c" || p.first != 2 || g[0].Probability != p.of(2) {
		t.Errorf("%+v, %v, and %+v", g, err, p)
	}
}

// TestSeeingManyClasses: of more classes than a matrix has only the pairs that are confused most.
func TestSeeingManyClasses(t *testing.T) {
	const classes = rundir.MostConfusion + 1
	s := newSeeing(&data.Dataset{Classes: make([]string, classes), Image: 96, Std: [3]float32{1, 1, 1}})
	for i := range 3 * classes {
		if i >= classes && i%3 == 0 { // not all pairs as often
			continue
		}
		logits := make([]float32, classes)
		logits[(i*i+1)%classes] = 1
		s.see(batchOf(96, []int32{int32(i % classes)}), logits)
	}
	got := s.seen("x")
	if got.Confusion != nil || len(got.Confused) != rundir.MostConfused {
		t.Fatalf("%d rows, %d pairs", len(got.Confusion), len(got.Confused))
	}
	for i, c := range got.Confused {
		if c.Label == c.Guess || i > 0 && c.Images > got.Confused[i-1].Images {
			t.Errorf("pair %d: %+v", i, c)
		}
	}
	for _, e := range got.Wrong {
		if e.Side != rundir.MostSide || len(e.RGB) != 3*rundir.MostSide*rundir.MostSide {
			t.Errorf("a picture of %d pixels", e.Side)
		}
	}
}

// TestSeenIsOfTheResult: the counts of what a test has seen are those of the result, and a run that lost the file
// makes it again to the same bytes.
func TestSeenIsOfTheResult(t *testing.T) {
	dir := finished(t)
	d := rundir.Folder(dir)
	var res rundir.Result
	if err := d.ReadJSON(&res, "result.json"); err != nil {
		t.Fatal(err)
	}
	seen, err := seenOf(d, d.File("export", "model.safetensors"))
	if err != nil || seen == nil {
		t.Fatal(seen, err)
	}
	for y, c := range res.Classes {
		images := 0
		for _, n := range seen.Confusion[y] {
			images += n
		}
		if images != c.Images || seen.Confusion[y][y] != c.Right {
			t.Errorf("class %d: %d of %d, want %d of %d", y, seen.Confusion[y][y], images, c.Right, c.Images)
		}
	}
	want, err := os.ReadFile(d.File(rundir.SeenFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.File(rundir.SeenFile)); err != nil {
		t.Fatal(err)
	}
	if state := states(t, dir)["test"]; state == StateFresh {
		t.Error("a test whose file is gone is fresh")
	}
	if err := runAll(t, microRequest(dir)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(d.File(rundir.SeenFile)); err != nil || string(got) != string(want) {
		t.Errorf("made again, it is another one: %v", err)
	}
	// What no test can have seen is refused, with the file and the field.
	var s rundir.Seen
	if err := d.ReadJSON(&s, rundir.SeenFile); err != nil {
		t.Fatal(err)
	}
	s.Confusion[2][3] = -1
	if err := d.WriteJSON(s, rundir.SeenFile); err != nil {
		t.Fatal(err)
	}
	_, err = seenOf(d, d.File("export", "model.safetensors"))
	if f := fault.Classify(err); err == nil || f.Code != fault.ExitInvalid || !strings.Contains(err.Error(), d.File(rundir.SeenFile)+": confusion[2][3]: -1 images") || !strings.Contains(f.Hint, "renamed to examples.json.damaged") {
		t.Errorf("%v: %+v", err, f)
	}
	if err := os.WriteFile(d.File(rundir.SeenFile), want, 0o644); err != nil {
		t.Fatal(err)
	}
	// Of another exported file it is none.
	if other, err := seenOf(d, d.File("config.yaml")); other != nil || err != nil {
		t.Errorf("%v, %v", other, err)
	}
}
