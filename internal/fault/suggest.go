package fault

import (
	"fmt"
	"slices"
	"strings"
)

// meant are words that mean another candidate than the nearest one.
var meant = map[string]string{"gpu": "cuda"} // not cpu

// DidYouMean returns "; did you mean "x"?" for the candidate nearest to word,
// or "" when none is near. The last part of a dotted candidate counts as well,
// so `lr` finds `train.lr`.
func DidYouMean(word string, candidates []string) string {
	best, bestDist := "", len(word)/3+2
	section, last, dotted := strings.Cut(word, ".")
	for _, c := range candidates {
		d := editDistance(word, c)
		in, name, ok := strings.Cut(c, ".")
		switch {
		case ok && !dotted:
			// A mistyped key without its section is a further mistake: nope is not data.name.
			if e := editDistance(word, name); e > 0 {
				d = min(d, e+1)
			} else {
				d = 0
			}
		case ok && in == section && editDistance(last, name) > len(last)/3+1:
			continue // they have only the section in common: train.nope is not train.lr
		}
		if d < bestDist {
			best, bestDist = c, d
		}
	}
	if m := meant[strings.ToLower(word)]; slices.Contains(candidates, m) {
		best = m
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance is Levenshtein's: insertions, deletions and substitutions.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
