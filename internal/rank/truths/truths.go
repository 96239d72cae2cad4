// Package truths reads tables of what networks reach when each is trained by itself, in the forms in which people keep
// them: an object of JSON with a key for each architecture, as NAS-Bench-Macro's, an object a line, or CSV.
//
// Contract. A table knows architectures by their texts alone; which network a text is, a space says. Accuracies are
// fractions. A table is read as a whole or not at all, and an error names the place.
//
//	t, err := truths.ReadFile("nas-bench-macro_cifar10.json")
//	for _, row := range t.Rows {
//		fmt.Println(row.Arch, row.Mean)
//	}
package truths

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"oneshot/internal/atomicfile"
	"oneshot/lanas/landscape"
)

// Row is what a table knows of one text.
type Row struct {
	Arch string
	// Mean is what the network reaches: the mean of its trainings.
	Mean float64
	// Truths are its trainings, from different seeds; one may be all there is.
	Truths []float64
	// Params and MAdds are what the table says it costs; 0 is nothing.
	Params, MAdds int64
}

// Table is a table of truths.
type Table struct {
	Rows []Row
	// Percent says that the file has percent: one of its accuracies is above 1.
	Percent bool
	// Low is how many rows of such a file have an accuracy of 1 or less, other than 0: perhaps fractions among percent.
	Low    int
	SHA256 string // of the file
}

const (
	maxBytes  = 256 << 20 // of a file; NAS-Bench-Macro's has 2 MB
	maxTruths = 1000      // trainings of a network
)

// ReadFile reads a table from a file; see Read.
func ReadFile(path string) (*Table, error) {
	b, err := atomicfile.ReadAtMost(path, maxBytes)
	if err != nil {
		return nil, err
	}
	t, err := Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Read reads a table in one of three forms, which its content tells:
//
//	{"02012100": {"test_acc": [89.47, 88.95], "params": 890666, "flops": 47327744}, ...}
//	{"arch": "02012100", "accuracy": 89.47}        an object a line
//	arch,accuracy,params                           and a line of commas for each architecture
//
// An accuracy is called accuracy, acc or test_acc, and is a number or a list of them, one for each training. mean_acc is
// their mean, and may be all there is. params, and flops or madds, are costs. In the first form an architecture may have
// its accuracy alone, {"02012100": 89.47}. In CSV seeds are columns: accuracy, or those that begin with acc, test_acc or seed.
// What else there is, is not read.
//
// Where any accuracy is above 1 all are percent, else all are fractions.
func Read(b []byte) (*Table, error) {
	sum := sha256.Sum256(b)
	text := bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var rows []Row
	var err error
	switch first := bytes.TrimSpace(text); {
	case len(first) == 0:
		err = errors.New("is empty")
	case first[0] != '{':
		rows, err = readCSV(text)
	case isLines(first):
		rows, err = readLines(text)
	default:
		rows, err = readObject(text)
	}
	if err != nil {
		return nil, err
	}
	t := &Table{Rows: rows, SHA256: fmt.Sprintf("%x", sum)}
	return t, t.settle()
}

// settle makes fractions of percent, and means.
func (t *Table) settle() error {
	if len(t.Rows) == 0 {
		return errors.New("the table has no architectures")
	}
	seen := map[string]bool{}
	for _, r := range t.Rows {
		if seen[r.Arch] {
			return fmt.Errorf("%s comes twice", quote(r.Arch))
		}
		seen[r.Arch] = true
		for _, v := range append([]float64{r.Mean}, r.Truths...) {
			if !(v >= 0 && v <= 100) {
				return fmt.Errorf("%s: accuracy %v, want percent in 0..100, or a fraction in all of the table", quote(r.Arch), v)
			}
			t.Percent = t.Percent || v > 1
		}
	}
	if t.Percent {
		for i, r := range t.Rows {
			if slices.ContainsFunc(append([]float64{r.Mean}, r.Truths...), func(v float64) bool { return v > 0 && v <= 1 }) {
				t.Low++
			}
			t.Rows[i].Mean /= 100
			for k := range t.Rows[i].Truths {
				t.Rows[i].Truths[k] /= 100
			}
		}
	}
	return nil
}

// isLines says whether the first object of a text has an architecture as a field, and is not itself the table.
func isLines(text []byte) bool {
	var v struct {
		Arch json.RawMessage `json:"arch"`
	}
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&v)
	return err == nil && len(v.Arch) > 0 && v.Arch[0] == '"'
}

func readObject(text []byte) ([]Row, error) {
	fields, err := landscape.Members(text)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(fields))
	for _, f := range fields {
		r, err := readValue(f.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", quote(f.Key), err)
		}
		r.Arch = f.Key
		rows = append(rows, r)
	}
	return rows, nil
}

// readValue reads what an architecture has for a value.
func readValue(value json.RawMessage) (Row, error) {
	if len(value) > 0 && value[0] == '{' {
		fields, err := landscape.Members(value)
		if err != nil {
			return Row{}, err
		}
		return readFields(fields)
	}
	var r Row
	var err error
	r.Truths, err = numbers(value)
	r.Mean = mean(r.Truths)
	return r, err
}

func readLines(text []byte) (rows []Row, err error) {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		fields, err := landscape.Members(line)
		var r Row
		if err == nil {
			r, err = readFields(fields)
		}
		if err == nil && r.Arch == "" {
			err = errors.New(`no "arch"`)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// accuracies are the names of an accuracy.
var accuracies = []string{"accuracy", "acc", "test_acc"}

// readFields reads what an object says of an architecture.
func readFields(fields []landscape.Member) (r Row, err error) {
	var average *float64
	from := ""
	for _, f := range fields {
		var v float64
		switch f.Key {
		case "arch":
			err = json.Unmarshal(f.Value, &r.Arch)
		case "accuracy", "acc", "test_acc":
			if from != "" {
				return r, fmt.Errorf("has %s and %s: which is its accuracy?", from, f.Key)
			}
			from = f.Key
			r.Truths, err = numbers(f.Value)
		case "mean_acc":
			v, err = number(f.Value)
			average = &v
		case "params":
			r.Params, err = cost(f.Value)
		case "flops", "madds":
			r.MAdds, err = cost(f.Value)
		}
		if err != nil {
			return r, fmt.Errorf("%s: %w", quote(f.Key), err)
		}
	}
	return r, r.averaged(average)
}

// averaged is the end of a row, whose mean may be given.
func (r *Row) averaged(average *float64) error {
	switch {
	case average == nil && len(r.Truths) == 0:
		return fmt.Errorf("no accuracy: want one of %q, or mean_acc", accuracies)
	case average == nil:
		r.Mean = mean(r.Truths)
	default:
		r.Mean = *average
		if len(r.Truths) == 0 {
			r.Truths = []float64{*average}
		}
	}
	return nil
}

// numbers reads a number or a list of them, at least one.
func numbers(value json.RawMessage) ([]float64, error) {
	if len(value) == 0 || value[0] != '[' {
		v, err := number(value)
		return []float64{v}, err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(value, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > maxTruths {
		return nil, fmt.Errorf("a list of %d accuracies, want 1..%d", len(list), maxTruths)
	}
	out := make([]float64, len(list))
	for i, v := range list {
		var err error
		if out[i], err = number(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func number(value json.RawMessage) (float64, error) {
	var v *float64
	if err := json.Unmarshal(value, &v); err != nil || v == nil {
		return 0, fmt.Errorf("%s, want a number", quote(string(value)))
	}
	return *v, nil
}

// maxCost is the largest cost: whole numbers up to it are exact as floats too.
const maxCost = 1 << 53

func cost(value json.RawMessage) (int64, error) {
	v, err := number(value)
	if err == nil && !(v >= 0 && v <= maxCost && v == math.Trunc(v)) {
		err = fmt.Errorf("%s, want a whole number", quote(string(value)))
	}
	if err != nil {
		return 0, err
	}
	return int64(v), nil
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x
	}
	return m / float64(max(1, len(v)))
}

// quote shows a text of a file, shortened when it is long.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
