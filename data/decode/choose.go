package decode

import (
	"errors"
	"fmt"
	"runtime"
)

// The decoders of JPEG files.
const (
	Auto  = "auto"  // Turbo where the library is found, else Go
	Turbo = "turbo" // libturbojpeg, loaded at run time
	Go    = "go"    // the standard library, image/jpeg
)

// ErrNoTurbo says that libturbojpeg was not found, or not one that serves.
var ErrNoTurbo = errors.New("decode: libturbojpeg was not found (Debian and Ubuntu: apt install libturbojpeg0; Fedora: dnf install turbojpeg; macOS: brew install jpeg-turbo); decoder go needs nothing")

// Choose says which decoder a name means: Auto, or "", is Turbo where the library is found.
// An error wraps ErrNoTurbo, or says that there is no decoder of that name.
func Choose(name string) (string, error) {
	switch name {
	case Go:
		return Go, nil
	case Turbo:
		return Turbo, findTurbo()
	case Auto, "":
		if findTurbo() != nil {
			return Go, nil
		}
		return Turbo, nil
	}
	return "", fmt.Errorf("decode: there is no decoder %q, want %s, %s or %s", name, Auto, Turbo, Go)
}

// Version says what decodes JPEG files under a name that Choose returned: "libturbojpeg 2"
// or "image/jpeg of go1.26.8".
func Version(name string) string {
	if name == Turbo {
		return turboVersion()
	}
	return "image/jpeg of " + runtime.Version()
}
