package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Bytes is a flag for a number of bytes with a unit; 0 when not given.
type Bytes int64

func (m *Bytes) String() string {
	if *m == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*m), 10)
}

func (m *Bytes) Type() string { return "size" }

func (m *Bytes) Set(text string) error {
	n, err := parseBytes(text)
	*m = Bytes(n)
	return err
}

var byteUnits = map[string]float64{
	"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// parseBytes reads 1073741824, 800MB, 1.5 GiB and the like.
func parseBytes(text string) (int64, error) {
	number := strings.TrimRight(text, "bBkKmMgGtTiI")
	unit, known := byteUnits[strings.ToLower(text[len(number):])]
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if v *= unit; err != nil || !known || !(v >= 1 && v < 1<<62) {
		return 0, fmt.Errorf("want a size such as 2GiB, 800MB or 1073741824")
	}
	return int64(v), nil
}
