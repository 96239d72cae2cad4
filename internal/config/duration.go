package config

import (
	"fmt"
	"strings"
	"time"
)

// durationForms is what a length of time looks like, for messages.
const durationForms = "such as 90s, 10m or 1h30m"

// Duration is a length of time in a configuration, written as 90s, 10m or
// 1h30m; nothing and 0 are none.
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText and UnmarshalText serve YAML, JSON and flags alike.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Duration) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	if text == "" {
		*d = 0
		return nil
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q: want a time %s", text, durationForms)
	}
	*d = Duration(v)
	return nil
}

// Form implements setting.Formed.
func (Duration) Form() map[string]any {
	return map[string]any{"type": []string{"string", "integer"}, "maximum": 0, // the only number is 0
		"pattern": `^(0?|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$`}
}
