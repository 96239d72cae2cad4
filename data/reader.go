package data

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"

	"oneshot/data/decode"
	"oneshot/data/pixels"
	"oneshot/data/source"
)

// errBad stands for a record that was left out, see badSamples.
var errBad = errors.New("data: bad sample")

// reader makes the pixels of a collection's images. It has the buffers of one goroutine.
type reader struct {
	m       *images
	decoder *decode.Decoder // nil until it is needed
	resize  pixels.Resampler
	raw     []byte // of a record
	plain   decode.Image
	square  []uint8 // (side,side,3)
	placed  []uint8 // likewise, cropped and mirrored
	rgb     []uint8 // of a record of planes, (h,w,3)
	distort pixels.Scratch
}

func (m *images) reader() *reader { return &reader{m: m} }

// largePhotograph is what decoding takes of one whose buffers are given back at once, in bytes.
const largePhotograph = 8 << 20

// close ends the reader.
func (r *reader) close() { closeAll([]*reader{r}) }

// closeAll ends readers that were used together. Where images are large their buffers are given back now, as the
// next readers take as much.
func closeAll(readers []*reader) {
	used := false
	for _, r := range readers {
		if r.decoder != nil {
			r.decoder.Close()
			used = true
		}
		*r = reader{m: r.m}
	}
	if used && decode.Largest() >= largePhotograph {
		debug.FreeOSMemory()
	}
}

// view returns image i as networks see it without augmentation, (side,side,3), valid until
// the next call. The error is errBad for a record that is left out.
func (r *reader) view(i int32) ([]uint8, error) {
	m := r.m
	if m.resident() {
		if m.isBad(i) {
			return nil, errBad
		}
		return m.at(int(i)), nil
	}
	if v := m.views.get(i); v != nil {
		return v, nil
	}
	im, err := r.original(i)
	if err != nil {
		return nil, err
	}
	return r.squared(im), nil
}

// squared resizes an image to a square; nothing is computed where it is one already.
func (r *reader) squared(im *decode.Image) []uint8 {
	m := r.m
	r.room()
	if m.from.stretch {
		r.resize.Resize(r.square, im, whole(im), m.side, m.side, pixels.Rect{Y1: m.side, X1: m.side})
		return r.square
	}
	h, w, window := pixels.ShorterCenter(im.H, im.W, m.side, m.from.crop)
	r.resize.Resize(r.square, im, whole(im), h, w, window)
	return r.square
}

func whole(im *decode.Image) pixels.Rect { return pixels.Rect{Y1: im.H, X1: im.W} }

func (r *reader) room() {
	if len(r.square) == 0 {
		r.square = make([]uint8, r.m.size())
	}
}

// original decodes image i, valid until the next call.
func (r *reader) original(i int32) (*decode.Image, error) {
	o, ref := r.m.from, r.m.refs[i]
	if o.bad.has(ref) {
		return nil, errBad
	}
	im, err := r.read(ref)
	if err == nil {
		return im, nil
	}
	f := asFault(err, o.src.Where(int(ref.split), int(ref.record)))
	if f == nil {
		return nil, err
	}
	if err := o.bad.add(ref, f); err != nil {
		return nil, err
	}
	return nil, errBad
}

// read decodes a record.
func (r *reader) read(at ref) (*decode.Image, error) {
	b, err := r.stored(at)
	if err != nil {
		return nil, err
	}
	return r.decoded(b)
}

// stored returns the bytes of a record, valid until the next call.
func (r *reader) stored(at ref) ([]byte, error) {
	o := r.m.from
	b, err := o.src.Read(int(at.split), int(at.record), r.raw)
	if err != nil {
		return nil, err
	}
	if cap(b) > cap(r.raw) {
		r.raw = b[:0]
	}
	if raw := o.src.Info().Raw; raw != nil {
		if want := raw.Height * raw.Width * raw.Channels; len(b) != want {
			return nil, &source.Fault{Place: o.src.Where(int(at.split), int(at.record)), Msg: fmt.Sprintf("has %d bytes, want %d", len(b), want)}
		}
	}
	return b, nil
}

// decoded decodes the bytes of a record.
func (r *reader) decoded(b []byte) (*decode.Image, error) {
	o := r.m.from
	if raw := o.src.Info().Raw; raw != nil {
		r.interleave(b, raw.Height, raw.Width, raw.Channels, raw.Planar)
		return &r.plain, nil
	}
	if r.decoder == nil {
		var err error
		if r.decoder, err = decode.New(o.decoder); err != nil {
			return nil, err
		}
	}
	return r.decoder.Decode(b)
}

// interleave makes an image of the plain pixels of a record.
func (r *reader) interleave(b []byte, h, w, channels int, planar bool) {
	r.plain = decode.Image{H: h, W: w, Pix: b, Grey: channels == 1}
	if channels == 1 || !planar {
		return
	}
	n := h * w
	if len(r.rgb) < 3*n {
		r.rgb = make([]uint8, 3*n)
	}
	red, green, blue := b[:n], b[n:2*n], b[2*n:3*n]
	dst := r.rgb[:3*n]
	for i := range red {
		dst[3*i], dst[3*i+1], dst[3*i+2] = red[i], green[i], blue[i]
	}
	r.plain.Pix = dst
}

// render writes image i to dst (side,side,3), normalised, without augmentation. keep says
// that it will be asked for again.
func (r *reader) render(dst []float32, i int32, norm *pixels.Normaliser, keep bool) error {
	v, err := r.view(i)
	if err != nil {
		return err
	}
	if keep && !r.m.resident() && r.m.views.get(i) == nil {
		r.m.views.put(i, v)
	}
	render(dst, v, r.m.side, norm, placement{})
	return nil
}

// augmented writes image i to dst (side,side,3), augmented as rnd draws.
func (r *reader) augmented(dst []float32, i int32, a *Augment, rnd *rand.Rand, norm *pixels.Normaliser) error {
	side := r.m.side
	p := a.draw(rnd, side)
	src, err := r.cropped(i, a, rnd)
	if err != nil {
		return err
	}
	if ops := a.distortions(rnd, side, side); len(ops) > 0 {
		if len(r.placed) < r.m.size() {
			r.placed = make([]uint8, r.m.size())
		}
		placed := r.placed[:r.m.size()]
		place(placed, src, side, p)
		pixels.Apply(placed, side, side, ops, &r.distort)
		src, p = placed, placement{y0: p.y0, y1: p.y1, x0: p.x0, x1: p.x1}
	}
	render(dst, src, side, norm, p)
	if e := a.erased(rnd, side); e.Y1 > e.Y0 {
		for y := e.Y0; y < e.Y1; y++ {
			clear(dst[(y*side+e.X0)*3 : (y*side+e.X1)*3])
		}
	}
	return nil
}

// cropped returns the square that augmentation starts from, (side,side,3).
func (r *reader) cropped(i int32, a *Augment, rnd *rand.Rand) ([]uint8, error) {
	if a.ResizedCrop == 0 {
		return r.view(i)
	}
	var im *decode.Image
	if m := r.m; m.from == nil {
		r.plain = decode.Image{H: m.side, W: m.side, Pix: m.at(int(i))}
		im = &r.plain
	} else {
		var err error
		if im, err = r.original(i); err != nil {
			return nil, err
		}
	}
	r.room()
	side := r.m.side
	r.resize.Resize(r.square, im, pixels.RandomBox(rnd, im.H, im.W, a.ResizedCrop), side, side, pixels.Rect{Y1: side, X1: side})
	return r.square, nil
}
