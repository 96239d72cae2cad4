package weights

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Whatever the bytes, reading them ends in a *FormatError or in tensors that
// survive being written and read again.
func FuzzReadSafetensors(f *testing.F) {
	f.Add(encode(f, sample(1), map[string]string{"a": "b"}))
	f.Add(encode(f, nil, nil))
	f.Add(raw(`{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Add(raw(`{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`, 4))
	f.Add(raw(`{"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}`, 0))
	f.Add(raw(`{"e":{"dtype":"I64","shape":[0],"data_offsets":[0,0]},"e":{}}`, 0))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 16))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decode(b)
		if err != nil {
			var fault *FormatError
			if !errors.As(err, &fault) || fault.Offset < 0 || fault.Offset > int64(len(b)) {
				t.Fatalf("%v", err)
			}
			return
		}
		if got.Meta["format"] != "" && got.Meta["format"] != "pt" {
			got.Meta = nil // written by and for others
		}
		again, err := decode(encode(t, got.Tensors, got.Meta))
		if err != nil {
			t.Fatal(err)
		}
		if err := sameTensors(again.Tensors, got.Tensors); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever the bytes, also with a correct checksum over them, reading DONE ends
// in a *FormatError or in a record of this version that makes sense.
func FuzzParseDone(f *testing.F) {
	good := doneRecord{1, 7, map[string]fileDigest{modelFile: {8, "ab"}, stateFile: {2, "cd"}}}
	for _, d := range []doneRecord{good, {2, 7, good.Files}, {0, 7, good.Files}, {1, -1, good.Files}, {1, 7, nil}} {
		b, err := encodeDone(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`,"check":"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, sealed(b)} {
			d, err := parseDone(b, "DONE")
			if err != nil {
				var fault *FormatError
				if !errors.As(err, &fault) {
					t.Fatalf("%v", err)
				}
				continue
			}
			if d.SchemaVersion != schemaVersion || d.check("DONE") != nil {
				t.Fatalf("%+v", d)
			}
		}
	})
}

// sealed gives any bytes a correct checksum, so that fuzzing gets behind it.
func sealed(b []byte) []byte {
	body, _, _ := bytes.Cut(b, []byte(checkKey))
	return appendCheck(bytes.Clone(body))
}

// A checkpoint directory of any bytes loads as what its checksums say, or not
// at all.
func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	quickSave(f, dir, sampleCheckpoint(7, 1), 1)
	path := filepath.Join(dir, checkpointName(7))
	f.Add(readFile(f, path, modelFile), readFile(f, path, stateFile), readFile(f, path, doneFile))
	f.Add(raw("{}      ", 0), []byte("null"), []byte(nil))
	f.Add(raw("{}      ", 0), []byte("nul"), []byte(nil))
	f.Fuzz(func(t *testing.T, model, state, done []byte) {
		path := filepath.Join(t.TempDir(), "c")
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, model, path, modelFile)
		writeFile(t, state, path, stateFile)
		if len(done) == 0 { // vouch for the files, so that they are parsed
			record := doneRecord{schemaVersion, 1, map[string]fileDigest{modelFile: digestOf(model), stateFile: digestOf(state)}}
			var err error
			if done, err = encodeDone(record); err != nil {
				t.Fatal(err)
			}
		}
		writeFile(t, done, path, doneFile)
		c, err := Load(path)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) && !errors.Is(err, ErrDType) {
				t.Fatal(err)
			}
			return
		}
		want, err := decode(model)
		if err != nil {
			t.Fatal(err)
		}
		if err := sameCheckpoint(c, Checkpoint{c.Step, want.Tensors, state}); err != nil {
			t.Fatal(err)
		}
	})
}

func digestOf(b []byte) fileDigest {
	d := newDigest()
	d.Write(b)
	return d.result()
}
