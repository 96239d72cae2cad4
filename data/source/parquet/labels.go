package parquet

import (
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"oneshot/data/source"
)

// noLabel stands for a row without a label. Hugging Face writes -1 where labels are secret.
const noLabel = -1

// maxUnnamed bounds the labels where no names do.
const maxUnnamed = 1 << 16

// labels are the label column of a file: numbers, or text with a number for each word.
type labels struct {
	values []int64 // (rows), noLabel for none
	words  []string
}

// labels reads the label column.
func (s *shard) labels() (labels, error) {
	out := labels{values: make([]int64, 0, s.rows)}
	l := &s.cols.label
	numbers := map[string]int64{}
	for i := range s.groups {
		c := s.groups[i].label
		var err error
		switch l.typ {
		case format.ByteArray:
			err = out.addText(s, c, numbers)
		default:
			width := 8
			if l.typ == format.Int32 {
				width = 4
			}
			var v []int64
			v, err = c.ints(s.file, l.maxDef, width, noLabel)
			out.values = append(out.values, v...)
		}
		if err != nil {
			at := c.pages[0].at
			var page *pageError
			if errors.As(err, &page) {
				at = page.at
			}
			return labels{}, source.Wrong(s.path, at, "", err, "column %s, row group %d", l.name(), i)
		}
	}
	return out, nil
}

// addText adds the labels of a chunk of text.
func (out *labels) addText(s *shard, c *chunk, numbers map[string]int64) error {
	dict, err := c.bytesDict(s.file)
	if err != nil {
		return &pageError{c.dict.at, err}
	}
	for i := range c.pages {
		p := &c.pages[i]
		v, err := c.bytesOf(s.file, p, s.cols.label.maxDef, dict)
		if err != nil {
			return &pageError{p.at, err}
		}
		for k := range v.len() {
			word, ok := v.get(k)
			if !ok {
				out.values = append(out.values, noLabel)
				continue
			}
			n, ok := numbers[string(word)]
			if !ok {
				n = int64(len(out.words))
				if n == maxUnnamed || !source.IsClassName(string(word)) {
					return &pageError{p.at, fmt.Errorf("text %.40q, or one of more than %d, is no label", word, maxUnnamed)}
				}
				numbers[string(word)] = n
				out.words = append(out.words, string(word))
			}
			out.values = append(out.values, n)
		}
	}
	return nil
}

// check wants labels from 0 to below classes, or none. It returns the largest.
func (s *shard) check(v []int64, classes int64) (int64, error) {
	largest := int64(noLabel)
	for row, y := range v {
		if y < noLabel || y >= classes {
			return 0, source.Wrong(s.path, s.labelAt(int64(row)), "", nil, "column %s, row %d: label is %d, want 0 to %d", s.cols.label.name(), row, y, classes-1)
		}
		largest = max(largest, y)
	}
	return largest, nil
}

// labelAt is where the page with a row's label lies.
func (s *shard) labelAt(row int64) int64 {
	g := &s.groups[s.group(row)]
	return g.label.pages[g.label.pageOf(row-g.first)].at
}

// keep returns the rows that have a label, and their labels. rows is nil where all have.
func keep(v []int64) (y []int32, rows []int32, err error) {
	if len(v) > math.MaxInt32 {
		return nil, nil, fmt.Errorf("file has %d rows, at most %d are read", len(v), math.MaxInt32)
	}
	for row, label := range v {
		if label == noLabel {
			if rows == nil {
				rows = make([]int32, 0, len(v))
				for r := range row {
					rows = append(rows, int32(r))
				}
			}
			continue
		}
		y = append(y, int32(label))
		if rows != nil {
			rows = append(rows, int32(row))
		}
	}
	return y, rows, nil
}
