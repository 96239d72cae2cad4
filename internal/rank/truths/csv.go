package truths

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readCSV reads a table whose first line names its columns.
func readCSV(text []byte) ([]Row, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.ReuseRecord, r.TrimLeadingSpace = true, true
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("neither JSON nor CSV: %w", err)
	}
	arch, average, params, madds := -1, -1, -1, -1
	var truths []int
	for i, name := range head {
		var at *int
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case name == "arch":
			at = &arch
		case name == "mean_acc":
			at = &average
		case name == "params":
			at = &params
		case name == "flops", name == "madds":
			at = &madds
		case isTruth(name):
			truths = append(truths, i)
		}
		if at != nil {
			if *at >= 0 {
				return nil, fmt.Errorf("line 1: column %s comes twice", quote(name))
			}
			*at = i
		}
	}
	switch {
	case arch < 0:
		return nil, errors.New(`neither JSON nor CSV of architectures: the first line names no column "arch"`)
	case len(truths) == 0 && average < 0:
		return nil, fmt.Errorf("line 1: no column of accuracies: want one of %q or seed, perhaps with a number behind it, or mean_acc", accuracies)
	case len(truths) > maxTruths:
		return nil, fmt.Errorf("line 1: %d columns of accuracies, want at most %d", len(truths), maxTruths)
	}
	var rows []Row
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		at, _ := r.FieldPos(0)
		row, err := readColumns(line, arch, average, params, madds, truths)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", at, err)
		}
		rows = append(rows, row)
	}
}

// isTruth says whether a column has accuracies: those of one training.
func isTruth(name string) bool {
	name = strings.TrimRight(name, "0123456789")
	name = strings.TrimRight(name, "_-. ")
	return name == "accuracy" || name == "acc" || name == "test_acc" || name == "seed"
}

// readColumns reads a line. A training that an architecture does not have is an empty field.
func readColumns(line []string, arch, average, params, madds int, truths []int) (r Row, err error) {
	if r.Arch = strings.TrimSpace(line[arch]); r.Arch == "" {
		return r, errors.New("no architecture")
	}
	field := func(i int) json.RawMessage { return json.RawMessage(strings.TrimSpace(line[i])) }
	for _, i := range truths {
		if len(field(i)) == 0 {
			continue
		}
		v, err := number(field(i))
		if err != nil {
			return r, err
		}
		r.Truths = append(r.Truths, v)
	}
	var mean *float64
	if average >= 0 && len(field(average)) > 0 {
		v, err := number(field(average))
		if err != nil {
			return r, err
		}
		mean = &v
	}
	if params >= 0 && len(field(params)) > 0 {
		if r.Params, err = cost(field(params)); err != nil {
			return r, err
		}
	}
	if madds >= 0 && len(field(madds)) > 0 {
		if r.MAdds, err = cost(field(madds)); err != nil {
			return r, err
		}
	}
	return r, r.averaged(mean)
}
