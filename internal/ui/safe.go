package ui

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestLine is how many characters a line of a message has at most: what it quotes may be a file of megabytes.
const longestLine = 4000

// Safe is a text of one or more lines as it may be written to a terminal. What files and their names say may
// be part of it: what a terminal would act on is escaped, such as the beginning of a colour, or what turns
// the direction of writing.
func Safe(text string) string {
	if !strings.ContainsFunc(text, acts) { // so it is nearly always; bytes that are no UTF-8 are found too
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case acts(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

// acts says whether a terminal does something else with a character than show it, but for ending a line.
func acts(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// Message is Safe for a message, whose lines are cut where they are longer than people read.
func Message(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if len(line) <= longestLine {
			continue
		}
		at := longestLine
		for at > longestLine-utf8.UTFMax && !utf8.RuneStart(line[at]) {
			at--
		}
		lines[i] = fmt.Sprintf("%s... (%d bytes more)", line[:at], len(line)-at)
	}
	return Safe(strings.Join(lines, "\n"))
}
