package config

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"oneshot/internal/setting"
)

// TestSettingsPage: docs/settings.md says what the tags say.
func TestSettingsPage(t *testing.T) {
	golden(t, "../../docs/settings.md", settingsPage())
}

func settingsPage() []byte {
	var b bytes.Buffer
	b.WriteString(`# Settings

Every key of a configuration file, and of --set. Written by ` + "`go test ./internal/config -update`" + ` from the
declarations in the code. A preset has other values, see ` + "`oneshot recipe NAME`" + `.

Ranges: 1..64 are integers with both ends, [0,1) are numbers from 0 to below 1, (0,10] numbers above 0, at
most 10. Where nothing stands behind the dots, 2147483647 is meant; max is the largest float32. Parameters and
multiply-adds may be written as 600M, 5.3M, 1.2G or 300k.
`)
	c := Default()
	last := "none"
	for _, f := range setting.Fields(&c) {
		section, key, ok := strings.Cut(f.Key, ".")
		if !ok {
			section, key = "", f.Key
		}
		if section != last {
			last = section
			fmt.Fprintf(&b, "\n## %s\n\n| Key | Default | Range | Meaning |\n|---|---|---|---|\n", sectionTitles[section])
		}
		def := f.Default
		if def == "" {
			def = fmt.Sprint(f.Value)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", key, def, f.Want, f.Doc)
	}
	return b.Bytes()
}

// TestEverySettingIsDocumented, and every section.
func TestEverySettingIsDocumented(t *testing.T) {
	for _, f := range setting.Fields(new(Config)) {
		section, _, ok := strings.Cut(f.Key, ".")
		if f.Doc == "" || strings.HasSuffix(f.Doc, ".") || strings.Contains(f.Doc+f.Want, "|") {
			t.Errorf("%s: want a text for a cell of a table, without a full stop: %q", f.Key, f.Doc)
		}
		if ok && sectionTitles[section] == "" {
			t.Errorf("section %s has no title", section)
		}
	}
}
