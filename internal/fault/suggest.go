package fault

import (
	"fmt"
	"strings"
)

// DidYouMean returns "; did you mean "x"?" for the candidate nearest to word,
// or "" when none is near. The last part of a dotted candidate counts as well,
// so `lr` finds `train.lr`.
func DidYouMean(word string, candidates []string) string {
	best, bestDist := "", len(word)/3+2
	for _, c := range candidates {
		d := editDistance(word, c)
		if i := strings.LastIndexByte(c, '.'); i >= 0 && !strings.Contains(word, ".") {
			// A mistyped key without its section is a further mistake: nope is not data.name.
			if e := editDistance(word, c[i+1:]); e > 0 {
				d = min(d, e+1)
			} else {
				d = 0
			}
		}
		if d < bestDist {
			best, bestDist = c, d
		}
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
