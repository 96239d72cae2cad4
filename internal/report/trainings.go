package report

import "fmt"

// Training is the course of a training: means over parts of it of about the same length.
type Training struct {
	Title          string
	From           string // what it began with; "" is what all of this title do
	Stale          bool
	Steps          int // that the curves cover
	Loss, LR, Top1 []float64
}

// series is a curve of it, drawn over its steps.
func (t Training) series(name string, y []float64) Series {
	return Series{Name: name, Y: y, Every: float64(t.Steps) / float64(max(1, len(y)))}
}

// percents are fractions in percent.
func percents(y []float64) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		out[i] = 100 * v
	}
	return out
}

// trainings are the curves of the trainings, and what is wrong with them.
func trainings(p RunParts) *Section {
	s := &Section{Title: "The trainings", Warnings: p.Faults}
	for _, t := range p.Trainings {
		title := t.Title
		if t.From != "" {
			title += ", " + t.From
		}
		if t.Stale {
			title += " (stale)"
		}
		add := func(name, y string, values []float64) {
			if len(values) > 1 {
				s.Charts = append(s.Charts, Chart{Title: title + ": " + name, X: "steps", Y: y, Series: []Series{t.series(name, values)}})
			}
		}
		add("loss", "mean loss", t.Loss)
		add("accuracy on the images it trains on", "percent", percents(t.Top1))
		add("learning rate", "learning rate", t.LR)
	}
	if len(s.Charts) > 0 {
		s.Lines = append(s.Lines, fmt.Sprintf("Each point is the mean of a part of the training; there are at most %d. summary.csv has every step.", CurveParts))
	}
	if len(s.Charts)+len(s.Warnings) == 0 {
		return nil
	}
	return s
}

// CurveParts is how many points a curve of a page has at most.
const CurveParts = 200
