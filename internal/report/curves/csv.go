package curves

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
)

// CSV is the points as a table: a row for each stage and step, in the order of the points, with columns
// stage, step and then the values that there are, by name. A tag is STAGE/VALUE.
func CSV(points []Point) []byte {
	var columns []string
	for _, p := range points {
		if _, name, _ := strings.Cut(p.Tag, "/"); !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(append([]string{"stage", "step"}, columns...)) // a buffer takes everything
	var row []string
	flush := func() {
		if row != nil {
			w.Write(row)
		}
	}
	for _, p := range points {
		stage, name, _ := strings.Cut(p.Tag, "/")
		step := strconv.FormatInt(p.Step, 10)
		if row == nil || row[0] != stage || row[1] != step {
			flush()
			row = make([]string, 2+len(columns))
			row[0], row[1] = stage, step
		}
		row[2+slices.Index(columns, name)] = strconv.FormatFloat(p.Value, 'g', -1, 64)
	}
	flush()
	w.Flush()
	return b.Bytes()
}
