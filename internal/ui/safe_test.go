package ui

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestSafe(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"plain\n\tlines":      "plain\n\tlines",
		"größer, 日本":          "größer, 日本",
		"a\x1b[2Jb":           `a\x1b[2Jb`,
		"a\rb\x07\x7f\x00":    `a\rb\a\x7f\x00`,
		"\u009b31m":           `\u009b31m`,
		"no UTF-8: \xff\xfe.": `no UTF-8: \xff\xfe.`,
		"a\u202egnp.exe":      `a\u202egnp.exe`,
		"a\u2028b":            `a\u2028b`,
		"\ufffd":              `\ufffd`,
	} {
		if got := Safe(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	long := strings.Repeat("x", longestLine)
	for text, want := range map[string]string{
		long:                 long,
		long + "yz":          long + "... (2 bytes more)",
		"a\n" + long + "y\n": "a\n" + long + "... (1 bytes more)\n",
		long[1:] + "é":       long[1:] + "... (2 bytes more)",
	} {
		if got := Message(text); got != want {
			t.Errorf("%d bytes are shown as %d", len(text), len(got))
		}
	}
}

// Whatever is printed for people goes through it.
func TestNothingActsOnTheTerminal(t *testing.T) {
	var out, said bytes.Buffer
	u := New(&out, &said, time.Now)
	u.Verbose = true
	for _, print := range []func(string, ...any){u.Infof, u.Warnf, u.Debugf, u.Printf} {
		print("name %s\n", "\x1b]0;title\x07")
	}
	for _, b := range []string{out.String(), said.String()} {
		if strings.ContainsAny(b, "\x1b\x07") || !strings.Contains(b, `\x1b]0;title\a`) {
			t.Errorf("%q", b)
		}
	}
}
