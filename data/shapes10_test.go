package data

import (
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"testing"

	"oneshot/internal/rng"
)

// shapes10Golden is the SHA256 of the default set at seed 42, on every platform.
// A change of the drawing changes it: then count shapes10Version up as well.
const shapes10Golden = "50cfb30ff51e84f018f3848cafebee492bad2e897fda85ad66742fb159916911"

func TestShapes10Golden(t *testing.T) {
	d, err := Open(Config{Name: "shapes10", Seed: 42})
	if err != nil {
		t.Fatal(err)
	}
	if d.SHA256 != shapes10Golden {
		t.Errorf("sha256 %s, want %s", d.SHA256, shapes10Golden)
	}
	if d.Train.Len() != 8000 || d.Search.Len() != 2000 || d.Test.Len() != 2000 || d.Provenance != "drawn by oneshot (shapes10 v1, seed 42)" {
		t.Errorf("%d, %d, %d images, %s", d.Train.Len(), d.Search.Len(), d.Test.Len(), d.Provenance)
	}
}

// TestShapes10IsAFunctionOfSeedAndIndex: more images, fewer cores or another
// part leave an image as it is, or change it, as they should.
func TestShapes10IsAFunctionOfSeedAndIndex(t *testing.T) {
	a := drawShapes10(1, 0, 30)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b := drawShapes10(1, 0, 50)
	if string(a.pix) != string(b.pix[:len(a.pix)]) {
		t.Error("the first 30 of 50 images differ from 30 images")
	}
	for _, other := range []*images{drawShapes10(2, 0, 30), drawShapes10(1, 1, 30)} {
		for i := range 30 {
			if string(a.at(i)) == string(other.at(i)) {
				t.Errorf("image %d is the same in another part or seed", i)
			}
		}
	}
}

// TestShapes10Statistics: balanced classes, and no class stands out by its mean
// brightness, its colours or its contrast.
func TestShapes10Statistics(t *testing.T) {
	const per = 300
	m := drawShapes10(3, 0, 10*per)
	var mean, spread [10]float64
	var count [10]int
	for i := range m.len() {
		count[m.y[i]]++
		var sum, sq float64
		for _, v := range m.at(i) {
			sum += float64(v)
			sq += float64(v) * float64(v)
		}
		mu := sum / 3072
		mean[m.y[i]] += mu / per
		spread[m.y[i]] += math.Sqrt(sq/3072-mu*mu) / per
	}
	for c := range count {
		if count[c] != per {
			t.Errorf("%d images of class %d", count[c], c)
		}
		// The mean of an image has a deviation of about 45; of 300, 2.6.
		if !(math.Abs(mean[c]-127.5) <= 10) {
			t.Errorf("%s: mean %.1f", shapes10Classes[c], mean[c])
		}
		if !(spread[c] >= 45 && spread[c] <= 75) {
			t.Errorf("%s: spread %.1f", shapes10Classes[c], spread[c])
		}
	}
}

// TestOutlines: about the same area, and within the unit that mark.reach assumes.
func TestOutlines(t *testing.T) {
	const step = 1.0 / 128
	for c, f := range outlines {
		area, far := 0.0, 0.0
		for y := -1.5; y < 1.5; y += step {
			for x := -1.5; x < 1.5; x += step {
				if f(x, y) < 0 {
					area += step * step
					far = max(far, length(x, y))
				}
			}
		}
		t.Logf("%s: area %.2f, reaches %.2f", shapes10Classes[c], area, far)
		if !(area >= 0.6 && area <= 1.15) || !(far <= 1) {
			t.Errorf("%s: area %.2f, reaches %.2f", shapes10Classes[c], area, far)
		}
	}
}

// TestBell: noise has mean 0 and deviation 1.
func TestBell(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var sum, sq float64
	const n = 200000
	for range n {
		v := bell(r.Uint64())
		sum += v
		sq += v * v
	}
	if m, v := sum/n, sq/n; !(math.Abs(m) <= 0.01) || !(math.Abs(v-1) <= 0.01) {
		t.Errorf("mean %g, variance %g", m, v)
	}
}

// softmaxRegression trains a linear classifier on pixels by SGD with cosine decay
// and returns its accuracy on the test images.
func softmaxRegression(t *testing.T, d *Dataset, epochs int) float64 {
	const dim, k, peak = 3072, 10, 0.01
	w, logits := make([]float32, k*(dim+1)), [k]float32{}
	forward := func(x []float32) (best int) {
		for c := range logits {
			row := w[c*(dim+1) : (c+1)*(dim+1)]
			var s0, s1, s2, s3 float32
			for i := 0; i+3 < dim; i += 4 {
				s0 += row[i] * x[i]
				s1 += row[i+1] * x[i+1]
				s2 += row[i+2] * x[i+2]
				s3 += row[i+3] * x[i+3]
			}
			logits[c] = row[dim] + s0 + s1 + s2 + s3
			if logits[c] > logits[best] {
				best = c
			}
		}
		return best
	}
	const batch = 50
	l, err := d.Train.Loader(LoaderConfig{Batch: batch, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	grad := make([]float32, len(w))
	for step, steps := 0, epochs*l.StepsPerEpoch(); step < steps; step++ {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rate := float32(peak / 2 * (1 + math.Cos(math.Pi*float64(step)/float64(steps))) / float64(b.N))
		clear(grad)
		for n := range b.N {
			x := b.X[n*dim : (n+1)*dim]
			top := logits[forward(x)]
			var z float64
			for _, v := range logits {
				z += math.Exp(float64(v - top))
			}
			for c, v := range logits {
				g := float32(math.Exp(float64(v-top)) / z)
				if int32(c) == b.Y[n] {
					g--
				}
				row := grad[c*(dim+1) : (c+1)*(dim+1)]
				for i, xi := range x {
					row[i] += g * xi
				}
				row[dim] += g
			}
		}
		for i, g := range grad {
			w[i] -= rate * g
		}
		l.Recycle(b)
	}
	right := 0
	for b := range d.Test.Batches(100) {
		for n := range b.N {
			if int32(forward(b.X[n*dim:(n+1)*dim])) == b.Y[n] {
				right++
			}
		}
	}
	return float64(right) / float64(d.Test.Len())
}

// TestLinearClassifierFails: pixels do not give the class away; the limit of the
// design is 0.60. The same classifier on images whose classes are tinted must
// succeed, or it shows nothing.
func TestLinearClassifierFails(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	d, err := Open(Config{Name: "shapes10", Seed: 42})
	if err != nil {
		t.Fatal(err)
	}
	acc := softmaxRegression(t, d, 5)
	t.Logf("linear classifier: %.3f", acc)
	if !(acc <= 0.4) || !(acc >= 0.05) {
		t.Errorf("linear classifier: %.3f, want chance to 0.4", acc)
	}
	for _, m := range []*images{d.Train.train.img, d.Test.test.img} {
		for i, y := range m.y {
			for k := range 60 { // a strip whose place tells the class
				m.at(i)[int(y)*300+k] = 255
			}
		}
	}
	if acc := softmaxRegression(t, d, 5); !(acc >= 0.6) {
		t.Errorf("on marked images: %.3f, want at least 0.6", acc)
	}
}

// TestNoFusedArithmetic compiles the package for arm64, where Go fuses x*y + z
// into one rounding unless told otherwise, and looks for such instructions in
// the drawing: they would change the golden bytes there.
func TestNoFusedArithmetic(t *testing.T) {
	if testing.Short() {
		t.Skip("builds for arm64")
	}
	cmd := exec.Command("go", "build", "-gcflags=-S", "-o", os.DevNull, ".")
	cmd.Env = append(os.Environ(), "GOARCH=arm64", "GOOS=linux", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("no cross compiler: %v\n%s", err, out)
	}
	if n := len(regexp.MustCompile(`\bFMULD\b`).FindAll(out, -1)); n < 50 {
		t.Fatalf("only %d multiplications in the listing: it does not show the drawing", n)
	}
	for _, line := range regexp.MustCompile(`.*\bFN?M(ADD|SUB)[DS]\b.*`).FindAllString(string(out), 10) {
		t.Errorf("fused: %s", line)
	}
}

func BenchmarkDraw(b *testing.B) {
	m := newImages(1, shapes10Side)
	for i := 0; b.Loop(); i++ {
		class := i % len(shapes10Classes)
		newScene(rng.New(1, "shapes10", 0, uint64(i)), class).paint(m.at(0))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
