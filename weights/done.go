package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	schemaVersion = 1
	maxDone       = 64 << 10 // bytes of DONE that are read
	checkKey      = `,"check":"`
	doneEnd       = "\"}\n"
)

// doneRecord is the file DONE: the proof that a checkpoint is complete.
type doneRecord struct {
	SchemaVersion int                   `json:"schema_version"`
	Step          int                   `json:"step"`
	Files         map[string]fileDigest `json:"files"`
}

type fileDigest struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// digest is the size and hash of what is written to it.
type digest struct {
	hash io.Writer
	sum  func() []byte
	size int64
}

func newDigest() *digest {
	h := sha256.New()
	return &digest{hash: h, sum: func() []byte { return h.Sum(nil) }}
}

func (d *digest) Write(b []byte) (int, error) {
	d.size += int64(len(b))
	return d.hash.Write(b)
}

func (d *digest) result() fileDigest {
	return fileDigest{d.size, hex.EncodeToString(d.sum())}
}

// encodeDone appends to the record, as its last key "check", the SHA-256 of all
// bytes before the comma in front of that key. This rule holds for every schema
// version, so that a damaged DONE is never mistaken for a newer one.
func encodeDone(d doneRecord) ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return appendCheck(bytes.TrimSuffix(b, []byte("}"))), nil
}

func appendCheck(b []byte) []byte {
	sum := sha256.Sum256(b)
	b = append(b, checkKey...)
	b = hex.AppendEncode(b, sum[:])
	return append(b, doneEnd...)
}

// parseDone checks and reads the bytes of a DONE file; file is for messages only.
func parseDone(b []byte, file string) (doneRecord, error) {
	var d doneRecord
	fault := func(at int, field, msg string) error {
		return &FormatError{File: file, Offset: int64(at), Field: field, Msg: msg, Kind: ErrCorrupt}
	}
	if len(b) > maxDone {
		return d, fault(maxDone, "", "is larger than any DONE file")
	}
	at := len(b) - len(checkKey) - 2*sha256.Size - len(doneEnd)
	if at < 0 || !bytes.HasPrefix(b[at:], []byte(checkKey)) || !bytes.HasSuffix(b, []byte(doneEnd)) {
		return d, fault(0, "", "does not end with its own checksum")
	}
	body := b[:at:at]
	sum := sha256.Sum256(body)
	if check := string(b[at+len(checkKey) : len(b)-len(doneEnd)]); check != hex.EncodeToString(sum[:]) {
		return d, fault(at, "check", "does not match the bytes before it")
	}
	body = append(body, '}')
	var version struct {
		SchemaVersion int `json:"schema_version"`
	}
	if err := json.Unmarshal(body, &version); err != nil {
		return d, fault(0, "schema_version", err.Error())
	}
	if version.SchemaVersion > schemaVersion {
		return d, &FormatError{File: file, Field: "schema_version", Kind: ErrNewer,
			Msg:  fmt.Sprintf("%d is newer than the %d this oneshot reads", version.SchemaVersion, schemaVersion),
			Hint: "continue with the oneshot that wrote it, or a later one"}
	}
	if version.SchemaVersion < 1 {
		return d, fault(0, "schema_version", fmt.Sprintf("%d is no version", version.SchemaVersion))
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return d, fault(0, "", err.Error())
	}
	return d, d.check(file)
}

func (d doneRecord) check(file string) error {
	err := func() error {
		if d.Step < 0 {
			return errors.New("step is negative")
		}
		if len(d.Files) != len(checkpointFiles) {
			return fmt.Errorf("names %d files, not %d", len(d.Files), len(checkpointFiles))
		}
		for _, name := range checkpointFiles {
			f, ok := d.Files[name]
			if !ok {
				return errors.New("does not name " + name)
			}
			if f.Size < 0 || f.Size == math.MaxInt64 {
				return fmt.Errorf("%s has the size %d", name, f.Size)
			}
		}
		return nil
	}()
	if err != nil {
		return &FormatError{File: file, Field: "", Msg: err.Error(), Kind: ErrCorrupt}
	}
	return nil
}
