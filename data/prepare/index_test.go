package prepare

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"oneshot/data"
)

// TestIndex: the shards of a split and how many images each has, as others read it.
func TestIndex(t *testing.T) {
	root, _ := sample(t)
	dir := filepath.Join(t.TempDir(), "out")
	o := options()
	o.ShardSize = 2
	r, err := Write(context.Background(), open(t, data.Config{Dir: root}), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Splits {
		var x index
		b, err := os.ReadFile(filepath.Join(dir, s.Name+"-index.json"))
		if err := errors.Join(err, json.Unmarshal(b, &x)); err != nil {
			t.Fatal(err)
		}
		images := 0
		for i, shard := range x.Shards {
			if shard.URL != s.Shards[i] || shard.Samples < 1 || shard.Samples > 2 {
				t.Errorf("%s: shard %d is %+v, want %s", s.Name, i, shard, s.Shards[i])
			}
			images += shard.Samples
		}
		if images != s.Images || len(x.Shards) != len(s.Shards) || s.Name == "train" && len(x.Shards) < 2 {
			t.Errorf("%s: %d images in %d shards, want %d in %d", s.Name, images, len(x.Shards), s.Images, len(s.Shards))
		}
	}
}
