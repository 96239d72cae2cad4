package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Count is a number of things, such as parameters or multiply-adds, written as 600M, 5.3M,
// 1.2G, 300k or 600000000. The letters are powers of ten, in either case. It serves
// configurations, which store plain digits, and as a flag.
type Count int64

// countForms is what a count looks like, for messages.
const countForms = "such as 600M, 5.3M, 300k or 600000000"

func (n Count) String() string { return strconv.FormatInt(int64(n), 10) }

// Type is what a flag wants, in a word.
func (n *Count) Type() string { return "count" }

// Set reads the value of a flag, which is not negative.
func (n *Count) Set(text string) error {
	if strings.HasPrefix(strings.TrimSpace(text), "-") {
		return badCount(text)
	}
	return n.UnmarshalText([]byte(text))
}

func badCount(text string) error { return fmt.Errorf("%q: want a count %s", text, countForms) }

var countUnits = map[byte]float64{'k': 1e3, 'm': 1e6, 'g': 1e9, 't': 1e12}

// UnmarshalText reads the form above. A number that is not whole or does not fit is an error;
// a negative one is out of the range of every setting.
func (n *Count) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		*n = Count(whole)
		return nil
	}
	number, unit := text, 1.0
	if text != "" {
		if u := countUnits[text[len(text)-1]|0x20]; u != 0 {
			number, unit = strings.TrimSpace(text[:len(text)-1]), u
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.ContainsAny(number, "xXpP_") {
		return badCount(text)
	}
	// 5.3 has no exact binary form, so the product is rounded; below 2^53 a whole number is exact.
	v *= unit
	whole := math.Round(v)
	if !(math.Abs(v) < 1<<53 && math.Abs(v-whole) <= 1e-6*max(1, math.Abs(v)/1e9)) {
		return badCount(text)
	}
	*n = Count(whole)
	return nil
}

// UnmarshalJSON reads a number or a text.
func (n *Count) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		text = string(b)
	}
	return n.UnmarshalText([]byte(text))
}

// Form implements setting.Formed.
func (Count) Form() map[string]any {
	return map[string]any{"type": []string{"integer", "string"}, "maximum": 1 << 53, "pattern": `^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+]?[0-9]+)? ?[kKmMgGtT]?$`}
}
