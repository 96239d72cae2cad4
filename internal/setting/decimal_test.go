package setting

import "testing"

func TestDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"010": "10", "0100": "100", "08": "8", "0": "0", "00": "0", "-007": "-7", "+5": "+5", " 12 ": "12",
		"1_000": "1000", "01_000": "1000", "1e3": "1e3", "00.5": "0.5", ".5": "0.5", "5.": "5.", "0e0": "0e0", "1.5E-3": "1.5E-3",
		"0_7": "7",
	} {
		if got, ok := Decimal(text); !ok || got != want {
			t.Errorf("%q is %q, %v, want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{"", " ", ".", "0x10", "0o10", "0b11", ".inf", "inf", "nan", "1__0", "_1", "1_", "1:30", "12k", "--1", "1 2", "e3", "0x1p-2", "١"} {
		if got, ok := Decimal(text); ok {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}
