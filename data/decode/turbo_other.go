//go:build !((linux || darwin) && !android && !ios && (amd64 || arm64))

package decode

// Where purego cannot call a library there is the standard library alone.

func findTurbo() error               { return ErrNoTurbo }
func turboVersion() string           { return "no libturbojpeg" }
func newTurbo() (jpegDecoder, error) { return nil, ErrNoTurbo }
