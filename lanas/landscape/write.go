package landscape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write writes a table in the generic form, one score a line in the order of the
// architectures. Costs are not part of it.
func (t *Table) Write(w io.Writer) error {
	var b bytes.Buffer
	name, _ := json.Marshal(t.name) // a string
	fmt.Fprintf(&b, "{\"name\": %s, \"choices\": %s", name, strings.ReplaceAll(fmt.Sprint(t.choices.sizes), " ", ","))
	t.write(&b, "scores", func(r Row) float64 { return r.Score })
	if t.Noisy() {
		t.write(&b, "truth", func(r Row) float64 { return r.True })
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

func (t *Table) write(b *bytes.Buffer, field string, of func(Row) float64) {
	codes := make([]string, 0, len(t.rows))
	for code := range t.rows {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	slices.Reverse(codes) // one-hot: candidate 0 is the greatest string
	fmt.Fprintf(b, ", \"%s\": {", field)
	for i, code := range codes {
		if i > 0 {
			b.WriteByte(',')
		}
		v, _ := json.Marshal(of(t.rows[code])) // finite
		fmt.Fprintf(b, "\n\"%s\": %s", t.choices.Key([]byte(code)), v)
	}
	b.WriteString("\n}")
}
