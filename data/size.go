package data

import "oneshot/data/decode"

// chooseSize settles Image and CropPct.
func (o *opening) chooseSize(d *Dataset, from *origin) error {
	w, h, same, err := o.naturalSize()
	if err != nil {
		return err
	}
	if same {
		o.w, o.h = w, h
	}
	d.Image = o.c.Image
	if d.Image == 0 {
		d.Image = photograph
		if side := min(w, h); same && side <= OwnSide {
			d.Image = max(8, (side+3)/4*4) // what networks with two reductions take
		}
	}
	if d.CropPct = o.c.CropPct; d.CropPct == 0 {
		d.CropPct = usualCrop(min(w, h), d.Image, same)
	}
	from.crop = d.CropPct
	if k, ok := knownSets[o.c.Name]; ok && (!same || w != k.Side || h != k.Side) {
		return o.unfit("--dataset auto takes images of any size", "images of %dx%d pixels, want the %dx%d of %s", w, h, k.Side, k.Side, k.Title)
	}
	return nil
}

// UsualImage is what Config.Image is by default, as far as a name tells.
func UsualImage(name string) int {
	if Drawn(name) {
		return shapes10Side
	}
	if k, ok := knownSets[name]; ok {
		return k.Side
	}
	return photograph
}

// OwnSide is the longest side, in pixels, that images keep where Config.Image is 0.
const OwnSide = 96

const (
	photograph = 64 // a size at which a network of ours trains in half an hour on two cores
	probes     = 64 // images whose size is looked at
)

// naturalSize is the size of the images, as far as some of them tell, and whether these
// have the same one. Images that cannot be read are left to those who decode them.
func (o *opening) naturalSize() (w, h int, same bool, err error) {
	if raw := o.info.Raw; raw != nil {
		return raw.Width, raw.Height, true, nil
	}
	same = true
	var buf []byte
	for _, refs := range [][]ref{o.train, o.own, o.test} {
		for k := range min(probes, len(refs)) {
			r := refs[k*len(refs)/min(probes, len(refs))]
			b, err := o.src.Read(int(r.split), int(r.record), buf)
			if err != nil {
				if asFault(err, o.src.Where(int(r.split), int(r.record))) == nil {
					return 0, 0, false, err
				}
				continue
			}
			buf = b[:0]
			head, err := decode.ReadHeader(b)
			o.lossy = o.lossy || err == nil && (head.Format == "jpeg" || head.Format == "webp")
			switch {
			case err != nil:
			case w == 0:
				w, h = head.W, head.H
			case head.W != w || head.H != h:
				same = false
				w, h = min(w, head.W), min(h, head.H)
			}
		}
	}
	return w, h, same && w > 0, nil
}
