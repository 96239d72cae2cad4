package rundir

import "fmt"

// mostImages is more than any test has, and so few that counts of a row add up.
const mostImages = 1 << 40

// Check says which field cannot be what a test saw.
func (s Seen) Check() error {
	if len(s.Export) != 64 {
		return fmt.Errorf("export: %d digits, want 64", len(s.Export))
	}
	if len(s.Confusion) > MostConfusion {
		return fmt.Errorf("confusion: %d rows, want at most %d", len(s.Confusion), MostConfusion)
	}
	for y, row := range s.Confusion {
		if len(row) != len(s.Confusion) {
			return fmt.Errorf("confusion[%d]: %d columns, want %d", y, len(row), len(s.Confusion))
		}
		for x, n := range row {
			if n < 0 || n > mostImages {
				return fmt.Errorf("confusion[%d][%d]: %d images", y, x, n)
			}
		}
	}
	if len(s.Confused) > MostConfused {
		return fmt.Errorf("confused: %d pairs, want at most %d", len(s.Confused), MostConfused)
	}
	if len(s.Confusion) > 0 && len(s.Confused) > 0 {
		return fmt.Errorf("confused: %d pairs beside confusion", len(s.Confused))
	}
	for i, c := range s.Confused {
		if c.Label < 0 || c.Guess < 0 || c.Label == c.Guess || c.Images < 1 || c.Images > mostImages {
			return fmt.Errorf("confused[%d]: %d images of class %d taken for %d", i, c.Images, c.Label, c.Guess)
		}
	}
	for name, of := range map[string][]Example{"right": s.Right, "wrong": s.Wrong} {
		if len(of) > MostExamples {
			return fmt.Errorf("%s: %d images, want at most %d", name, len(of), MostExamples)
		}
		for i, e := range of {
			if err := e.check(len(s.Confusion)); err != nil {
				return fmt.Errorf("%s[%d].%w", name, i, err)
			}
			if (e.Label == e.Guess) != (name == "right") {
				return fmt.Errorf("%s[%d].guess: class %d of an image of class %d", name, i, e.Guess, e.Label)
			}
		}
	}
	return nil
}

// check wants an example of so many classes; 0 is any number of them.
func (e Example) check(classes int) error {
	class := func(i int) bool { return i >= 0 && (classes == 0 || i < classes) }
	switch {
	case e.Image < 0 || e.Image > mostImages:
		return fmt.Errorf("image: %d", e.Image)
	case !class(e.Label):
		return fmt.Errorf("label: no class %d", e.Label)
	case !class(e.Guess):
		return fmt.Errorf("guess: no class %d", e.Guess)
	case !(e.Probability >= 0 && e.Probability <= 1):
		return fmt.Errorf("probability: %v, want 0 to 1", e.Probability)
	case e.Side < 1 || e.Side > MostSide:
		return fmt.Errorf("side: %d pixels, want 1 to %d", e.Side, MostSide)
	case len(e.RGB) != e.Side*e.Side*3:
		return fmt.Errorf("rgb: %d bytes, want %d", len(e.RGB), e.Side*e.Side*3)
	}
	return nil
}
