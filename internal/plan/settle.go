package plan

import (
	"cmp"
	"fmt"

	"oneshot/data"
	"oneshot/data/decode"
	"oneshot/internal/config"
)

// Settled are the keys that Settle may change.
var Settled = []string{
	"data.image", "data.crop_pct", "data.decoder", "data.train_size", "data.search_size", "data.test_size",
	"train.batch", "retrain.batch",
	"score.recal_images", "score.recal_batch", "score.recheck_recal_images", "score.images",
}

// Fill writes into a configuration what it leaves to the images: their size, how many
// there are and what decodes them.
func Fill(c *config.Config, d *data.Dataset) {
	c.Data.Image = cmp.Or(c.Data.Image, d.Image)
	c.Data.CropPct = cmp.Or(c.Data.CropPct, d.CropPct)
	c.Data.TrainSize = cmp.Or(c.Data.TrainSize, d.TrainSize)
	c.Data.SearchSize = cmp.Or(c.Data.SearchSize, d.SearchSize)
	c.Data.TestSize = cmp.Or(c.Data.TestSize, d.TestSize)
	if c.Data.Decoder == decode.Auto && d.Decoder != "" {
		c.Data.Decoder = d.Decoder
	}
}

// Settle is Fill, and makes a recipe for images of any kind fit fewer than it was made for;
// what that changes is returned, a line each. Doing it again changes nothing.
func Settle(c *config.Config, d *data.Dataset) (changed []string) {
	Fill(c, d)
	if data.Drawn(c.Data.Name) || data.Official(c.Data.Name) {
		return nil
	}
	train, final := d.Train.Len(), d.Train.Len()
	if c.Retrain.AllImages {
		final += d.Search.Len()
	}
	for _, s := range []struct {
		key   string
		value *int
		most  int
		micro int // the value stays a multiple of it, where it may
	}{
		{"train.batch", &c.Train.Batch, train, c.Train.MicroBatch}, {"retrain.batch", &c.Retrain.Batch, final, c.Retrain.MicroBatch},
		{"score.recal_batch", &c.Score.RecalBatch, train, 0}, {"score.recal_images", &c.Score.RecalImages, train, 0},
		{"score.recheck_recal_images", &c.Score.RecheckRecalImages, train, 0}, {"score.images", &c.Score.Images, d.Search.Len(), 0},
	} {
		if *s.value > s.most && s.most >= 2 {
			reason := "there are no more images"
			if s.micro > 0 && s.micro <= s.most && s.most%s.micro > 0 {
				reason = fmt.Sprintf("there are %d images, and it is a multiple of micro_batch", s.most)
				s.most -= s.most % s.micro
			}
			changed = append(changed, fmt.Sprintf("%s %d instead of %d: %s", s.key, s.most, *s.value, reason))
			*s.value = s.most
		}
	}
	return changed
}
