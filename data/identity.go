package data

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"

	"oneshot/data/source"
)

// hashedBytes is the most that is read of a collection to identify it: one that fits into
// memory. Beyond, labels and sizes stand for the images.
const hashedBytes = 256 << 20

// identify sets what the images are known as: SHA256, Provenance and, of known sets, what
// was published about them. decoded are collections that hold images as they are.
func (o *opening) identify(d *Dataset, from *origin, decoded []*images) error {
	labels := o.labelHash()
	var err error
	if o.w > 0 && !o.lossy && int64(o.total())*int64(o.w*o.h*3) <= hashedBytes {
		d.SHA256, err = o.pixelHash(from, decoded)
	}
	if err == nil && d.SHA256 == "" {
		d.SHA256, err = o.fileHash()
	}
	if err != nil {
		return err
	}
	named := false
	for name, k := range knownSets {
		official := k.LabelSHA256 != "" && labels == k.LabelSHA256
		if name != o.c.Name && !official {
			continue
		}
		if len(d.Classes) != len(k.Classes) {
			return o.unfit("--dataset auto takes any number of classes", "%d classes, want the %d of %s", len(d.Classes), len(k.Classes), k.Title)
		}
		named = true
		if !o.info.Named {
			d.Classes = slices.Clone(k.Classes)
		}
		d.Mean, d.Std = k.Mean, k.Std
		switch {
		case k.SHA256[d.SHA256] != "":
			d.Provenance = k.SHA256[d.SHA256]
		case official:
			// No checksums of the official files are on record here, so they are
			// recognised by their labels.
			d.Provenance = k.Title + " labels in official order, pixels not on record, sha256 " + d.SHA256[:12]
		default:
			d.Provenance = "unrecognised bytes, sha256 " + d.SHA256[:12]
		}
	}
	if !named {
		d.Provenance = fmt.Sprintf("%s, sha256 %s", o.info.About, d.SHA256[:12])
		if areImageNet(d.Classes) {
			d.Mean, d.Std = imageNet.Mean, imageNet.Std
		}
	}
	return nil
}

// order lists the splits in an order that depends neither on the container nor on what
// they are used for: what is trained on, what the files call the test, and the rest by name.
func (o *opening) order() []int {
	first := []int{o.roles.Train}
	if r, err := source.Assign(o.info, "", ""); err == nil && r.Test >= 0 {
		first = append(first, r.Test)
	}
	var rest []int
	for i := range o.info.Splits {
		if !slices.Contains(first, i) {
			rest = append(rest, i)
		}
	}
	slices.SortFunc(rest, func(a, b int) int {
		return cmp.Compare(o.info.Splits[a].Name, o.info.Splits[b].Name)
	})
	return append(first, rest...)
}

// total is the number of records of all splits.
func (o *opening) total() int {
	n := 0
	for _, s := range o.info.Splits {
		n += len(s.Labels)
	}
	return n
}

// putLabel writes a label as CIFAR's binary version does: a byte. Where there are more
// classes it takes two, big endian.
func putLabel(h hash.Hash, y int32, classes int) {
	if classes > 256 {
		h.Write([]byte{byte(y >> 8)})
	}
	h.Write([]byte{byte(y)})
}

func (o *opening) labelHash() string {
	h := sha256.New()
	for _, i := range o.order() {
		for _, y := range o.info.Splits[i].Labels {
			putLabel(h, y, len(o.info.Classes))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// pixelHash is the sha256 of the files of CIFAR-10's binary version with these images: a
// label, then the planes red, green and blue. It is of all images, whichever are used, and
// black stands for bad ones. It is "" where their sizes differ. What decoded does not hold
// is decoded here.
func (o *opening) pixelHash(from *origin, decoded []*images) (string, error) {
	type place struct {
		m *images
		i int
	}
	at := map[ref]place{}
	for _, m := range decoded {
		for i, r := range m.refs {
			at[r] = place{m, i}
		}
	}
	r := (&images{from: from}).reader()
	defer r.close()
	h := sha256.New()
	n := o.w * o.h
	planes := make([]byte, 3*n)
	black := make([]byte, 3*n)
	var rgb []byte
	for _, s := range o.order() {
		for i, y := range o.info.Splits[s].Labels {
			if i%1024 == 0 && o.ctx.Err() != nil {
				return "", context.Cause(o.ctx)
			}
			putLabel(h, y, len(o.info.Classes))
			ref := ref{int32(s), int32(i)}
			px := black
			if p, ok := at[ref]; ok {
				px = p.m.at(p.i)
			} else if im, err := r.read(ref); err == nil {
				if im.W != o.w || im.H != o.h {
					return "", nil
				}
				rgb = im.RGB(rgb)
				px = rgb
			} else if asFault(err, o.src.Where(s, i)) == nil {
				return "", err
			}
			for k := range n {
				planes[k], planes[n+k], planes[2*n+k] = px[3*k], px[3*k+1], px[3*k+2]
			}
			h.Write(planes)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// fileHash is the sha256 of labels, sizes and, where that is not too much, bytes of the
// records.
func (o *opening) fileHash() (string, error) {
	var bytes int64
	for _, s := range o.info.Splits {
		for _, n := range s.Sizes {
			bytes += n
		}
	}
	h := sha256.New()
	var buf []byte
	var b [16]byte
	for _, s := range o.order() {
		for i, y := range o.info.Splits[s].Labels {
			if i%1024 == 0 && o.ctx.Err() != nil {
				return "", context.Cause(o.ctx)
			}
			var record []byte
			var size int64
			if sizes := o.info.Splits[s].Sizes; sizes != nil {
				size = sizes[i]
			}
			if bytes <= hashedBytes {
				var err error
				if record, err = o.src.Read(s, i, buf); err == nil {
					buf, size = record[:0], int64(len(record))
				} else if asFault(err, o.src.Where(s, i)) == nil {
					return "", err
				}
			}
			binary.LittleEndian.PutUint64(b[:8], uint64(y))
			binary.LittleEndian.PutUint64(b[8:], uint64(size))
			h.Write(b[:])
			h.Write(record)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
