package setting

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// want is the range of a setting.
type want struct {
	tests  []test
	among  []string       // the words of a setting that is one of some
	limits map[string]any // the range in the keywords of JSON Schema
}

// test is one thing a value is held to, and how a complaint calls it.
type test struct {
	ok   func(v reflect.Value) bool
	text string
}

// most is the largest integer of a range without an end.
const most = math.MaxInt32

// parseWant reads a tag for a value of the type of v. choices lists the words of a
// choice.
func parseWant(text string, v reflect.Value, choices func() []string) (want, error) {
	switch {
	case v.CanInt():
		return integers(text)
	case v.CanFloat():
		return numbers(text)
	case v.Kind() == reflect.String:
		return words(text, choices)
	}
	return want{}, fmt.Errorf("a %v has no range", v.Type())
}

var errForm = errors.New("no such form, see the package's documentation")

// integers reads 1..64, 0.., even 2..1024 and 0 or more.
func integers(text string) (want, error) {
	if s, ok := strings.CutSuffix(text, " or more"); ok {
		lo, err := strconv.ParseInt(s, 10, 64)
		return want{tests: []test{{func(v reflect.Value) bool { return v.Int() >= lo }, text}}, limits: map[string]any{"minimum": lo}}, err
	}
	span, even := strings.CutPrefix(text, "even ")
	from, to, ok := strings.Cut(span, "..")
	if !ok {
		return want{}, errForm
	}
	lo, err := strconv.ParseInt(from, 10, 64)
	if err != nil {
		return want{}, err
	}
	hi := int64(most)
	if to != "" {
		if hi, err = strconv.ParseInt(to, 10, 64); err != nil {
			return want{}, err
		}
	}
	if lo > hi {
		return want{}, errors.New("no value is in it")
	}
	w := want{tests: []test{{func(v reflect.Value) bool { return lo <= v.Int() && v.Int() <= hi }, fmt.Sprintf("%d..%d", lo, hi)}},
		limits: map[string]any{"minimum": lo, "maximum": hi}}
	if even {
		w.limits["multipleOf"] = 2
		w.tests = append(w.tests, test{func(v reflect.Value) bool { return v.Int()%2 == 0 }, "an even number"})
	}
	return w, nil
}

// numbers reads [0,1], [0,1) and (0,10]. NaN is in none.
func numbers(text string) (want, error) {
	if len(text) < 2 {
		return want{}, errForm
	}
	open, end := text[0], text[len(text)-1]
	from, to, ok := strings.Cut(text[1:len(text)-1], ",")
	if !ok || !strings.ContainsRune("[(", rune(open)) || !strings.ContainsRune("])", rune(end)) {
		return want{}, errForm
	}
	lo, err := strconv.ParseFloat(from, 64)
	if err != nil {
		return want{}, err
	}
	hi := math.MaxFloat32
	if to != "max" {
		if hi, err = strconv.ParseFloat(to, 64); err != nil {
			return want{}, err
		}
	}
	if !(lo < hi) {
		return want{}, errors.New("no value is in it")
	}
	above := func(x float64) bool { return x > lo || open == '[' && x == lo }
	below := func(x float64) bool { return x < hi || end == ']' && x == hi }
	words := map[string]string{
		"[]": fmt.Sprintf("a number from %v to %v", lo, hi),
		"[)": fmt.Sprintf("a number from %v to below %v", lo, hi),
		"(]": fmt.Sprintf("a number above %v, at most %v", lo, hi),
		"()": fmt.Sprintf("a number above %v and below %v", lo, hi),
	}[string([]byte{open, end})]
	limits := map[string]any{"minimum": lo, "maximum": hi}
	if open == '(' {
		limits = map[string]any{"exclusiveMinimum": lo, "maximum": hi}
	}
	if end == ')' {
		delete(limits, "maximum")
		limits["exclusiveMaximum"] = hi
	}
	return want{tests: []test{{func(v reflect.Value) bool { return above(v.Float()) && below(v.Float()) }, words}}, limits: limits}, nil
}

// words reads a|b|c and choice.
func words(text string, choices func() []string) (want, error) {
	among := strings.Split(text, "|")
	switch {
	case text == "choice":
		among = choices()
	case len(among) < 2 || slices.Contains(among, ""):
		return want{}, errForm
	}
	one := func(v reflect.Value) bool { return slices.Contains(among, v.String()) }
	return want{tests: []test{{one, "one of " + strings.Join(among, ", ")}}, among: among, limits: map[string]any{"enum": among}}, nil
}
