package measure

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"oneshot/internal/ui"
	"oneshot/lanas/landscape"
)

// raceReport is a line of `bench search --json`: scores in percent, medians over
// the seeds, and beside each its 95 % interval, its mean (avg) and the mean's.
type raceReport struct {
	Table  string `json:"table"`
	Algo   string `json:"algo"`
	Seeds  int    `json:"seeds"`
	First  uint64 `json:"first_seed"`
	Budget int    `json:"budget"`
	Batch  int    `json:"batch"`
	// What a score is to be compared with.
	TableBest float64 `json:"table_best"`
	TopScore  float64 `json:"top_0.1pct_score"`

	BestAt      map[string]float64    `json:"best_at"` // by samples
	BestAtCI    map[string][2]float64 `json:"best_at_ci"`
	BestAtAvg   map[string]float64    `json:"best_at_avg"`
	BestAtAvgCI map[string][2]float64 `json:"best_at_avg_ci"`

	Last      float64    `json:"last100_mean"`
	LastCI    [2]float64 `json:"last100_mean_ci"`
	LastAvg   float64    `json:"last100_mean_avg"`
	LastAvgCI [2]float64 `json:"last100_mean_avg_ci"`

	// null stands for more than the budget.
	ToTop          *float64    `json:"median_samples_to_top_0.1pct"`
	ToTopCI        [2]*float64 `json:"samples_to_top_ci"`
	ToTopQuartiles [2]*float64 `json:"samples_to_top_quartiles"`
	ToTopReached   int         `json:"samples_to_top_reached"` // seeds
	ToTopCensored  bool        `json:"samples_to_top_censored"`

	Regret   []float64    `json:"regret_curve"` // means; percent points, by sample
	RegretCI regretLimits `json:"regret_ci"`

	AskTellMS float64 `json:"ask_tell_ms"` // mean
}

type regretLimits struct {
	Lower []float64 `json:"lower"`
	Upper []float64 `json:"upper"`
}

// tidy leaves out digits that say nothing: 1/10,000 of a percent remains.
func tidy(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func tidyPair(i landscape.Interval) [2]float64 { return [2]float64{tidy(i.Lo), tidy(i.Hi)} }

// orNull is null for 0, which stands for more than the budget.
func orNull(v float64) *float64 {
	if v == 0 {
		return nil
	}
	return &v
}

func reportRace(f Races, r raceResult) raceReport {
	s := r.summary
	out := raceReport{
		Table: r.table.Name(), Algo: r.algo, Seeds: s.Seeds, First: f.FirstSeed, Budget: s.Budget, Batch: f.Batch,
		TableBest: tidy(r.table.Max()), TopScore: tidy(r.table.Top()),
		BestAt: map[string]float64{}, BestAtCI: map[string][2]float64{},
		BestAtAvg: map[string]float64{}, BestAtAvgCI: map[string][2]float64{},
		Last: tidy(s.Last.Median), LastCI: tidyPair(s.Last.MedianCI),
		LastAvg: tidy(s.Last.Mean), LastAvgCI: tidyPair(s.Last.MeanCI),
		ToTop: orNull(s.ToTop.Median), ToTopReached: s.ToTop.Reached, ToTopCensored: s.ToTop.Median == 0,
		ToTopCI:        [2]*float64{orNull(s.ToTop.MedianCI.Lo), orNull(s.ToTop.MedianCI.Hi)},
		ToTopQuartiles: [2]*float64{orNull(s.ToTop.Lower), orNull(s.ToTop.Upper)},
		AskTellMS:      tidy(1e3 * s.AskTell.Seconds()),
	}
	for i, at := range s.At {
		key, b := strconv.Itoa(at), s.BestAt[i]
		out.BestAt[key], out.BestAtCI[key] = tidy(b.Median), tidyPair(b.MedianCI)
		out.BestAtAvg[key], out.BestAtAvgCI[key] = tidy(b.Mean), tidyPair(b.MeanCI)
	}
	for i, v := range s.Regret {
		out.Regret = append(out.Regret, tidy(v))
		out.RegretCI.Lower = append(out.RegretCI.Lower, tidy(s.RegretCI[i].Lo))
		out.RegretCI.Upper = append(out.RegretCI.Upper, tidy(s.RegretCI[i].Hi))
	}
	return out
}

// print prints an algorithm's figures on stdout, the first of a table below
// the table's head.
func (f Races) print(u *ui.UI, asJSON bool, r raceResult, first bool) {
	if asJSON {
		u.Fail(u.JSON(reportRace(f, r)))
		return
	}
	u.ClearBar()
	width := 9
	for _, name := range f.Algos {
		width = max(width, len(name))
	}
	if first {
		u.Printf("%s: %s\n%-*s", r.table.Name(), raceHead(f, r), width, "algorithm")
		for _, name := range raceColumns(r.summary) {
			u.Printf("  %*s", columnWidth(name), name)
		}
		u.Printf("\n")
	}
	names := raceColumns(r.summary)
	u.Printf("%-*s", width, r.algo)
	for i, v := range raceFigures(r.summary) {
		u.Printf("  %*s", columnWidth(names[i]), v)
	}
	u.Printf("\n")
	if r.algo == f.Algos[len(f.Algos)-1] {
		u.Printf("\n")
	}
}

func columnWidth(name string) int {
	if name == "quartiles" {
		return 12
	}
	return max(9, len(name))
}

// raceHead says what the figures below it are of.
func raceHead(f Races, r raceResult) string {
	noisy := ""
	if r.table.Noisy() {
		noisy = " (true scores; the searches see noise)"
	}
	return fmt.Sprintf("%d architectures, best %.2f %%, top 0.1 %% from %.2f %%%s; medians of %d seeds, budget %d, batch %d",
		r.table.Len(), r.table.Max(), r.table.Top(), noisy, r.summary.Seeds, r.summary.Budget, f.Batch)
}

// shownAt are the places of at most 4 of the checkpoints, the first and the last
// among them.
func shownAt(n int) []int {
	const most = 4
	var at []int
	for i := range min(n, most) {
		at = append(at, i*(n-1)/max(1, min(n, most)-1))
	}
	return at
}

// raceColumns and raceFigures are the table for people, in percent and samples.
func raceColumns(s landscape.Summary) []string {
	var names []string
	for _, i := range shownAt(len(s.At)) {
		names = append(names, fmt.Sprintf("best@%d", s.At[i]))
	}
	return append(names, "last 100", "to top 0.1 %", "quartiles", "reached", "ms/sample")
}

func raceFigures(s landscape.Summary) []string {
	var out []string
	for _, i := range shownAt(len(s.At)) {
		out = append(out, fmt.Sprintf("%.3f", s.BestAt[i].Median))
	}
	samples := func(v float64) string {
		if v == 0 {
			return fmt.Sprintf(">%d", s.Budget)
		}
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	return append(out, fmt.Sprintf("%.3f", s.Last.Median), samples(s.ToTop.Median),
		samples(s.ToTop.Lower)+".."+samples(s.ToTop.Upper),
		fmt.Sprintf("%d/%d", s.ToTop.Reached, s.Seeds), fmt.Sprintf("%.3f", 1e3*s.AskTell.Seconds()))
}
