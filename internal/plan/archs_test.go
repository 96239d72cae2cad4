package plan

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/supernet/space"
)

// TestArchsAreNamedByLine: a list as an editor of Windows writes it is one, and what is wrong with a line is said of that line.
func TestArchsAreNamedByLine(t *testing.T) {
	in, err := OpenSpace(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	const good = "nasbench-macro:22212220"
	var got []string
	read := func(text string) error {
		got = nil
		return ReadArchs(strings.NewReader(text), "list", in, func(s space.Space, a space.Arch) error {
			got = append(got, s.Format(a))
			return nil
		})
	}
	if err := read("\ufeff" + good + "\r\n\r\n# x\r\n  " + good + "\r\n"); err != nil || len(got) != 2 || got[0] != good || got[1] != good {
		t.Errorf("with a byte order mark and \\r\\n: %q, %v", got, err)
	}
	for text, want := range map[string]string{
		good + "\n\n# x\n\ufeff" + good:                 "list:4: ",
		good + "\n012012":                               `list:2: space: "012012" is neither operation set and node count`,
		good + "\n" + strings.Repeat("2", MaxArchBytes): "list:2: the line has more than 1048576 bytes",
		"# x\n": "list has no architecture",
	} {
		if err := read(text); err == nil || !strings.HasPrefix(err.Error(), want) || fault.Classify(err).Code != fault.ExitUsage {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
	folder := t.TempDir()
	err = ReadArchsFile(folder, in, nil)
	if err == nil || strings.Contains(err.Error(), ":1:") || fault.Classify(err).Code != fault.ExitUsage {
		t.Errorf("a folder: %v", err)
	}
	if err = ReadArchsFile(filepath.Join(folder, "gone"), in, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}
