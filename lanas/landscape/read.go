package landscape

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode"

	"oneshot/internal/atomicfile"
)

// maxTableBytes bounds the file of a table.
const maxTableBytes = 256 << 20

// ReadFile reads a table from a file; see Read. The table is called as the file
// is, without its folder and ending, unless it names itself.
func ReadFile(path string) (*Table, error) {
	f, _, err := atomicfile.OpenRegular(path)
	if err != nil {
		return nil, fmt.Errorf("landscape: %w", err)
	}
	defer f.Close()
	base := filepath.Base(path)
	return Read(f, path, strings.TrimSuffix(base, filepath.Ext(base)))
}

// Read reads a table in one of two forms of JSON. The generic one is
//
//	{"name": "mine", "choices": [5,5,3], "scores": {"0.1.2": 94.37, ...}}
//
// choices being the candidates of each block and scores percent by key. An
// optional object "truth" with the same keys holds what decides where the scores
// are noisy. The other form is NAS-Bench-Macro's own: an object whose keys are 8
// digits 0..2, one for each layer, with mean_acc, params and flops.
//
// A table need not be complete. Anything else that is not as said is an error
// that names the file (source) and the place; name is the table's if the file
// has none.
func Read(r io.Reader, source, name string) (*Table, error) {
	t, err := read(r, name, maxTableBytes)
	if err != nil {
		return nil, fmt.Errorf("landscape: %s: %w", source, trimPackage(err))
	}
	return t, nil
}

func read(r io.Reader, name string, maxBytes int64) (*Table, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(b)) > maxBytes:
		return nil, fmt.Errorf("larger than %d MB", maxBytes>>20)
	}
	fields, err := Members(b)
	if err != nil {
		return nil, err
	}
	if len(fields) > 0 && isMacroKey(fields[0].Key) {
		return readMacro(fields, name)
	}
	return readGeneric(fields, name)
}

// Member is a field of an object.
type Member struct {
	Key   string
	Value json.RawMessage
}

// Members are the fields of a table that is one object of JSON, in their order. A key that comes twice is an error, and
// so is whatever follows the object.
func Members(b []byte) (fields []Member, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := object(d, func(key string) error {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return err
		}
		fields = append(fields, Member{key, v})
		return nil
	}); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows the table, at byte %d", d.InputOffset())
	}
	return fields, nil
}

// object reads an object from d and calls f at the value of each key. A key that
// comes twice is an error.
func object(d *json.Decoder, f func(key string) error) error {
	open, err := d.Token()
	if err != nil {
		return jsonError(err)
	}
	if open != json.Delim('{') {
		return fmt.Errorf("%v where an object is wanted", open)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return jsonError(err)
		}
		key := token.(string) // the decoder takes no other keys
		if seen[key] {
			return fmt.Errorf("key %s comes twice", quote(key))
		}
		seen[key] = true
		if err := f(key); err != nil {
			return fmt.Errorf("%s: %w", quote(key), jsonError(err))
		}
	}
	_, err = d.Token()
	return jsonError(err)
}

// jsonError says of an early end what it is.
func jsonError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends early")
	}
	return err
}

func readGeneric(fields []Member, name string) (*Table, error) {
	var sizes []int
	values := map[string]json.RawMessage{}
	for _, f := range fields {
		values[f.Key] = f.Value
		var err error
		switch f.Key {
		case "name":
			switch err = json.Unmarshal(f.Value, &name); {
			case err != nil:
			case name == "" || string(f.Value) == "null":
				err = errors.New("is empty")
			case strings.ContainsFunc(name, unicode.IsControl): // it is printed
				err = errors.New("has a control character")
			}
		case "choices":
			err = json.Unmarshal(f.Value, &sizes)
		case "scores", "truth":
		default:
			err = errors.New("is no field of a table, which has name, choices, scores and truth")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", quote(f.Key), err)
		}
	}
	for _, want := range []string{"name", "choices", "scores"} {
		if values[want] == nil {
			return nil, fmt.Errorf("no %q", want)
		}
	}
	c, err := NewChoices(sizes)
	if err != nil {
		return nil, trimPackage(err)
	}
	scores, err := readScores(c, "scores", values["scores"])
	if err != nil {
		return nil, err
	}
	truth := scores
	if values["truth"] != nil {
		if truth, err = readScores(c, "truth", values["truth"]); err != nil {
			return nil, err
		}
		for code := range truth {
			if _, ok := scores[code]; !ok {
				return nil, fmt.Errorf("truth: %s has no score", c.Key([]byte(code)))
			}
		}
	}
	rows := make(map[string]Row, len(scores))
	for code, v := range scores {
		w, ok := truth[code]
		if !ok {
			return nil, fmt.Errorf("truth: %s is missing", c.Key([]byte(code)))
		}
		rows[code] = Row{Score: v, True: w}
	}
	return newTable(name, c, rows, false)
}

// readScores reads percent by key and returns it by code.
func readScores(c *Choices, field string, raw json.RawMessage) (map[string]float64, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	scores := map[string]float64{}
	err := object(d, func(key string) error {
		code, err := c.Parse(key)
		if err != nil {
			return trimPackage(err)
		}
		var v *float64
		if err := d.Decode(&v); err != nil {
			return err
		}
		if v == nil {
			return errors.New("score null, want percent in 0..100")
		}
		scores[string(code)] = *v
		return checkScore(*v)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return scores, nil
}

// trimPackage drops the package's name from an error that is to be wrapped.
func trimPackage(err error) error {
	if s, ok := strings.CutPrefix(err.Error(), "landscape: "); ok {
		return errors.New(s)
	}
	return err
}
