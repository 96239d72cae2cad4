//go:build (linux || darwin) && !android && !ios && (amd64 || arm64)

package decode

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// turboPlaces are where the library is looked for. None is relative, and a plain name is
// given only to Linux' loader, which does not search the working directory.
var turboPlaces = map[string][]string{
	"linux": {"libturbojpeg.so.0", "libturbojpeg.so"},
	"darwin": {
		"/opt/homebrew/opt/jpeg-turbo/lib/libturbojpeg.dylib",
		"/usr/local/opt/jpeg-turbo/lib/libturbojpeg.dylib",
		"/opt/local/lib/libturbojpeg.dylib",
		"/opt/libjpeg-turbo/lib64/libturbojpeg.dylib",
	},
}

// turboLib is the TurboJPEG API (turbojpeg.h), in what versions 2 and 3 share.
type turboLib struct {
	fn    [numTurbo]uintptr
	major int
}

const (
	tjInitDecompress = iota
	tjDecompressHeader3
	tjDecompressToYUVPlanes
	tjDecompress2
	tjGetErrorStr2
	tjGetErrorCode
	tjDestroy
	numTurbo
)

var turboNames = [numTurbo]string{"tjInitDecompress", "tjDecompressHeader3", "tjDecompressToYUVPlanes", "tjDecompress2",
	"tjGetErrorStr2", "tjGetErrorCode", "tjDestroy"}

// loadTurbo looks once: it costs a search of directories.
var loadTurbo = sync.OnceValues(func() (*turboLib, error) {
	runtime.LockOSThread() // the loader keeps its last error for the thread
	defer runtime.UnlockOSThread()
	for _, p := range turboPlaces[runtime.GOOS] {
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			continue
		}
		l := &turboLib{major: 2}
		for i, name := range turboNames {
			if l.fn[i], err = purego.Dlsym(h, name); err != nil {
				return nil, fmt.Errorf("%w: %s has no %s, so it is older than version 2", ErrNoTurbo, p, name)
			}
		}
		if _, err := purego.Dlsym(h, "tj3Init"); err == nil {
			l.major = 3
		}
		return l, nil
	}
	return nil, ErrNoTurbo
})

func findTurbo() error {
	_, err := loadTurbo()
	return err
}

func turboVersion() string {
	l, err := loadTurbo()
	if err != nil {
		return "no libturbojpeg"
	}
	return fmt.Sprintf("libturbojpeg %d", l.major)
}

// call makes a call. What the arguments point to is on the heap and stays until it returns.
//
//go:uintptrescapes
func (l *turboLib) call(f int, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(l.fn[f], args...)
	return r
}

// turbo is a decompressor of the library.
type turbo struct {
	*turboLib
	handle  uintptr
	w, h    int32 // what tjDecompressHeader3 writes
	sub     int32
	space   int32
	strides [3]int32
	planes  [3]*uint8
}

func newTurbo() (jpegDecoder, error) {
	l, err := loadTurbo()
	if err != nil {
		return nil, err
	}
	t := &turbo{turboLib: l, handle: l.call(tjInitDecompress)}
	if t.handle == 0 {
		return nil, errors.New("decode: libturbojpeg cannot make a decompressor: out of memory")
	}
	return t, nil
}

func (t *turbo) close() { t.call(tjDestroy, t.handle) }

// Values of turbojpeg.h.
const (
	spaceYCbCr = 1 // TJCS
	spaceGrey  = 2
	spaceCMYK  = 3
	spaceYCCK  = 4

	pixelRGB  = 0 // TJPF
	pixelGrey = 6
	pixelCMYK = 11

	limitScans = 32768 // TJFLAG_LIMITSCANS

	codeWarning = 0 // TJERR_WARNING
)

// turboSub is what values of TJSAMP mean, for those that Image can show.
var turboSub = map[int32][2]int{0: {1, 1}, 1: {2, 1}, 2: {2, 2}, 4: {1, 2}}

func (t *turbo) decode(b []byte, h *jpegHeader, d *Decoder) error {
	runtime.LockOSThread() // the library keeps its message for the thread
	defer runtime.UnlockOSThread()
	data, size := uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))
	defer runtime.KeepAlive(b)
	r := t.call(tjDecompressHeader3, t.handle, data, size,
		uintptr(unsafe.Pointer(&t.w)), uintptr(unsafe.Pointer(&t.h)), uintptr(unsafe.Pointer(&t.sub)), uintptr(unsafe.Pointer(&t.space)))
	if int32(r) != 0 { // also where the subsampling has no name: tjDecompress2 needs none
		t.w, t.h, t.sub, t.space = int32(h.w), int32(h.h), -1, map[int]int32{1: spaceGrey, 3: -1, 4: spaceCMYK}[h.components]
	}
	if int(t.w) != h.w || int(t.h) != h.h {
		return &Error{Offset: int64(h.scan), Msg: fmt.Sprintf("is damaged: libturbojpeg sees %dx%d pixels, the header has %dx%d", t.w, t.h, h.w, h.h)}
	}
	sub, ok := turboSub[t.sub]
	switch {
	case t.space == spaceYCbCr && ok && h.components == 3:
		return t.toPlanes(b, h, d, sub[0], sub[1])
	case t.space == spaceGrey:
		return t.toPixels(b, h, d.newGrey(h.w, h.h), pixelGrey, 1)
	case t.space == spaceCMYK || t.space == spaceYCCK:
		d.cmyk = grow(d.cmyk, 4*h.w*h.h)
		if err := t.toPixels(b, h, d.cmyk, pixelCMYK, 4); err != nil {
			return err
		}
		pix := d.newRGB(h.w, h.h)
		for i := range h.w * h.h {
			c := d.cmyk[4*i : 4*i+4]
			mixCMYK(pix[3*i:], c[0], c[1], c[2], c[3])
		}
		return nil
	}
	return t.toPixels(b, h, d.newRGB(h.w, h.h), pixelRGB, 3)
}

// toPlanes decodes to planes. The library rounds the size of luma up to whole chroma values.
func (t *turbo) toPlanes(b []byte, h *jpegHeader, d *Decoder, subX, subY int) error {
	cw, ch := (h.w+subX-1)/subX, (h.h+subY-1)/subY
	t.strides = [3]int32{int32(cw * subX), int32(cw), int32(cw)}
	for i, n := range [3]int{cw * subX * ch * subY, cw * ch, cw * ch} {
		d.planes[i] = grow(d.planes[i], n)
		t.planes[i] = &d.planes[i][0]
	}
	r := t.call(tjDecompressToYUVPlanes, t.handle, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		uintptr(unsafe.Pointer(&t.planes)), uintptr(h.w), uintptr(unsafe.Pointer(&t.strides)), uintptr(h.h), limitScans)
	runtime.KeepAlive(b)
	if int32(r) != 0 {
		if err := t.fault(b, h); err != nil {
			return err
		}
	}
	d.img = Image{W: h.w, H: h.h, Y: d.planes[0], Cb: d.planes[1], Cr: d.planes[2], YStride: cw * subX, CStride: cw, SubX: subX, SubY: subY}
	return nil
}

// toPixels decodes to pixels of n bytes.
func (t *turbo) toPixels(b []byte, h *jpegHeader, pix []uint8, format uintptr, n int) error {
	r := t.call(tjDecompress2, t.handle, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		uintptr(unsafe.Pointer(&pix[0])), uintptr(h.w), uintptr(h.w*n), uintptr(h.h), format, limitScans)
	runtime.KeepAlive(b)
	runtime.KeepAlive(pix)
	if int32(r) != 0 {
		return t.fault(b, h)
	}
	return nil
}

// harmless are warnings that leave every pixel as it was stored (jerror.h).
var harmless = []string{"extraneous bytes", "unknown JFIF revision", "Unknown Adobe color transform", "Inconsistent progression sequence", "Invalid SOS parameters"}

// fault reads the library's message after a call that failed. All others than harmless warnings say
// that pixels were made up.
func (t *turbo) fault(b []byte, h *jpegHeader) error {
	msg := t.message()
	if int32(t.call(tjGetErrorCode, t.handle)) == codeWarning {
		for _, s := range harmless {
			if strings.Contains(msg, s) {
				return t.secondOpinion(b, h)
			}
		}
	}
	return failed(errors.New(msg), h.scan, false)
}

// secondOpinion asks the other decoder whether a file is damaged: the library keeps only
// its first warning, and the harmless one may hide another.
func (t *turbo) secondOpinion(b []byte, h *jpegHeader) error {
	var d Decoder
	err := goJPEG{}.decode(b, h, &d)
	if e := (*Error)(nil); errors.As(err, &e) && e.Unsupported {
		return nil
	}
	return err
}

func (t *turbo) message() string {
	p := t.call(tjGetErrorStr2, t.handle)
	if p == 0 {
		return "unknown error"
	}
	var s []byte
	for at := *(*unsafe.Pointer)(unsafe.Pointer(&p)); *(*byte)(at) != 0 && len(s) < 200; at = unsafe.Add(at, 1) {
		s = append(s, *(*byte)(at))
	}
	return string(s)
}
