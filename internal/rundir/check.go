package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A file that says what others are must not be wrong itself. So record.json and manifest.json end with
// a key "check": the SHA-256 of all bytes before the comma in front of it. A file without one was
// written by an earlier version.
const (
	checkKey = ",\n  \"check\": \""
	checkEnd = "\"\n}\n"
)

var errCheck = errors.New("its checksum is not that of its bytes")

// withCheck is an object as the files of a run have it, with its checksum.
func withCheck(v any) ([]byte, error) {
	b, err := Indented(v)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n}\n"))
	sum := sha256.Sum256(b)
	b = append(b, checkKey...)
	b = hex.AppendEncode(b, sum[:])
	return append(b, checkEnd...), nil
}

// checked says whether the checksum at the end of a file is that of its bytes; check is the value that
// its key has, "" where there is none.
func checked(b []byte, check string) error {
	if check == "" {
		return nil
	}
	at := len(b) - len(checkKey) - 2*sha256.Size - len(checkEnd)
	if at < 0 || !bytes.HasPrefix(b[at:], []byte(checkKey)) || !bytes.HasSuffix(b, []byte(checkEnd)) {
		return errCheck
	}
	sum := sha256.Sum256(b[:at])
	if hex.EncodeToString(sum[:]) != string(b[at+len(checkKey):len(b)-len(checkEnd)]) {
		return errCheck
	}
	return nil
}

// strictly decodes one object into v. A name that v does not have is an error, as it may be a damaged
// one.
func strictly(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	at := dec.InputOffset()
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("at byte %d: more text after the object", at)
	}
	return nil
}

// schemaOf is the version of the form of an object, 0 where it says none.
func schemaOf(b []byte) int {
	var v struct {
		Schema int `json:"schema"`
	}
	if json.Unmarshal(b, &v) != nil {
		return 0
	}
	return v.Schema
}
