package supernet

import "testing"

// BenchmarkBuild is the expression graph of one sampled path of the reference job
// (bench/): build, differentiate, compile, without running it.
func BenchmarkBuild(b *testing.B) {
	n, err := New(DefaultNet(), 1, newRuntime(b, 1))
	if err != nil {
		b.Fatal(err)
	}
	t := bare(b, n, DefaultTrain())
	defer t.Close()
	for i := 0; b.Loop(); i++ {
		if _, err := t.build(t.archOf(i)); err != nil {
			b.Fatal(err)
		}
	}
}
