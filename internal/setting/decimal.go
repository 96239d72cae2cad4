package setting

import (
	"regexp"
	"strings"
)

// decimal is what people write for a number, with underscores between thousands if they like.
var decimal = regexp.MustCompile(`^[+-]?([0-9]+(_[0-9]+)*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// Decimal writes a number so that every reader takes it for the same: YAML and Go read 010 as
// eight. Without leading zeros and underscores, 010 is 10 and 1_000 is 1000. ok is false for
// what is no decimal number, such as 0x10, .inf and nan.
func Decimal(text string) (number string, ok bool) {
	text = strings.TrimSpace(text)
	if !decimal.MatchString(text) {
		return text, false
	}
	text = strings.ReplaceAll(text, "_", "")
	digits := strings.TrimLeft(text, "+-")
	sign := text[:len(text)-len(digits)]
	number = strings.TrimLeft(digits, "0")
	if number == "" || number[0] < '0' || number[0] > '9' {
		number = "0" + number
	}
	return sign + number, true
}
