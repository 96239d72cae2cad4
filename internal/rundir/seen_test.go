package rundir

import (
	"strings"
	"testing"
)

// someSeen is what a test of three classes may have seen.
func someSeen() Seen {
	return Seen{Export: strings.Repeat("0a", 32), Confusion: [][]int{{3, 1, 0}, {0, 4, 0}, {0, 0, 0}},
		Right: []Example{{Image: 7, Label: 1, Guess: 1, Probability: 1, Side: 2, RGB: make([]byte, 12)}},
		Wrong: []Example{{Image: 5, Label: 0, Guess: 1, Probability: 0.5, Side: 1, RGB: make([]byte, 3)}}}
}

// TestSeenIsChecked: each field that cannot be is refused by its name.
func TestSeenIsChecked(t *testing.T) {
	if err := someSeen().Check(); err != nil {
		t.Fatal(err)
	}
	for want, damage := range map[string]func(*Seen){
		"export: 3 digits":                  func(s *Seen) { s.Export = "abc" },
		"confusion[1]: 2 columns, want 3":   func(s *Seen) { s.Confusion[1] = s.Confusion[1][:2] },
		"confusion[0][2]: -1 images":        func(s *Seen) { s.Confusion[0][2] = -1 },
		"confusion[0][0]: 1099511627777":    func(s *Seen) { s.Confusion[0][0] = mostImages + 1 },
		"confusion: 51 rows":                func(s *Seen) { s.Confusion = make([][]int, 51) },
		"confused: 1 pairs beside":          func(s *Seen) { s.Confused = make([]Confused, 1) },
		"confused: 51 pairs, want":          func(s *Seen) { s.Confused = make([]Confused, 51) },
		"confused[0]: 2 images of class 1":  func(s *Seen) { s.Confusion, s.Confused = nil, []Confused{{1, 1, 2}} },
		"confused[0]: 0 images":             func(s *Seen) { s.Confusion, s.Confused = nil, []Confused{{1, 2, 0}} },
		"right: 13 images, want at most 12": func(s *Seen) { s.Right = make([]Example, 13) },
		"right[0].image: -1":                func(s *Seen) { s.Right[0].Image = -1 },
		"right[0].label: no class 3":        func(s *Seen) { s.Right[0].Label = 3 },
		"wrong[0].guess: no class -1":       func(s *Seen) { s.Wrong[0].Guess = -1 },
		"wrong[0].guess: class 0":           func(s *Seen) { s.Wrong[0].Guess = 0 },
		"right[0].guess: class 2":           func(s *Seen) { s.Right[0].Guess = 2 },
		"wrong[0].probability: 1.5":         func(s *Seen) { s.Wrong[0].Probability = 1.5 },
		"wrong[0].side: 0 pixels":           func(s *Seen) { s.Wrong[0].Side, s.Wrong[0].RGB = 0, nil },
		"wrong[0].side: 49 pixels":          func(s *Seen) { s.Wrong[0].Side = 49 },
		"wrong[0].rgb: 3 bytes, want 12":    func(s *Seen) { s.Wrong[0].Side = 2 },
	} {
		s := someSeen()
		damage(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
