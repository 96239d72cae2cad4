package portable_test

import (
	"strings"
	"testing"

	"oneshot/supernet/portable"
)

// TestModulesWantTheTensorsOfTheFile: what is read of a module agrees with the file for every sample. A module with another
// size or name, or without a line, does not.
func TestModulesWantTheTensorsOfTheFile(t *testing.T) {
	for _, s := range samples(t) {
		b, err := portable.Python(s.model)
		if err != nil {
			t.Fatal(err)
		}
		if err := portable.CheckPython(b, s.model.Tensors); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		text := string(b)
		lines := strings.SplitAfter(text, "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, `        ("stem`) {
				lines[i] = ""
			}
		}
		for what, twin := range map[string]string{
			"size":  strings.Replace(text, `"classifier", Classifier(`, `"classifier", Classifier(1`, 1),
			"name":  strings.Replace(text, `("classifier"`, `("classified"`, 1),
			"class": strings.Replace(text, `"classifier", Classifier(`, `"classifier", Linear(`, 1),
			"line":  strings.Join(lines, ""),
		} {
			if err := portable.CheckPython([]byte(twin), s.model.Tensors); twin == text || err == nil {
				t.Errorf("%s with another %s is not noticed", s.name, what)
			}
		}
		if err := portable.CheckPython(b, s.model.Tensors[1:]); err == nil || !strings.Contains(err.Error(), s.model.Tensors[0].Name) {
			t.Errorf("%s: a tensor is missing: %v", s.name, err)
		}
	}
}
