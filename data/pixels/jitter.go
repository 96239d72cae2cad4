package pixels

import "math/rand/v2"

// Jitter changes the colours of an image, as torchvision's ColorJitter: brightness, contrast
// and saturation by factors drawn from max(0,1-x)..1+x, and the hue by a part of the circle
// drawn from -Hue..Hue, in an order that is drawn too. What is 0 is left out.
type Jitter struct{ Brightness, Contrast, Saturation, Hue float64 }

// Draw takes four magnitudes and an order, whatever is left out.
func (j Jitter) Draw(r *rand.Rand, ops []Drawn, _, _ int) []Drawn {
	all := [4]Drawn{
		{Brightness, uniform(r, max(-1, -j.Brightness), j.Brightness)},
		{Contrast, uniform(r, max(-1, -j.Contrast), j.Contrast)},
		{Color, uniform(r, max(-1, -j.Saturation), j.Saturation)},
		{Hue, uniform(r, -j.Hue, j.Hue)},
	}
	on := [4]bool{j.Brightness > 0, j.Contrast > 0, j.Saturation > 0, j.Hue > 0}
	order := [4]uint8{0, 1, 2, 3}
	for i := len(order) - 1; i > 0; i-- {
		k := r.IntN(i + 1)
		order[i], order[k] = order[k], order[i]
	}
	for _, i := range order {
		if on[i] {
			ops = append(ops, all[i])
		}
	}
	return ops
}

// uniform draws from lo..hi.
func uniform(r *rand.Rand, lo, hi float64) float64 { return lo + float64(r.Float64()*(hi-lo)) }
