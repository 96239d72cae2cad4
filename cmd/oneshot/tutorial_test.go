package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fenced is a block of README that is executed here: commands, or Python.
var fenced = regexp.MustCompile("(?ms)^```(sh|python)\n(.*?)^```$")

// quickly stands before the tutorial's commands. The program is the tests', presets are the short one, and what runs
// until Ctrl-C runs in the background until its page was asked for; nothing is installed with npm.
const quickly = `
set -euo pipefail
oneshot() {
  local args=("${@/#tiny/micro}")
  case "$*" in
    serve*) background "s|^open *||p" serve.txt "$PROGRAM" "$@" ;;
    run*photos* | init*photos*) "$PROGRAM" "${args[@]}" --preset micro ;;
    *) "$PROGRAM" "${args[@]}" ;;
  esac
}
npm() { [[ $1 == install ]]; }
background() {
  local find=$1 out=$2 url=""
  shift 2
  : >"$out"
  "$@" >"$out" 2>&1 &
  local pid=$!
  for _ in {1..100}; do
    url=$(sed -n "$find" "$out" | head -n 1)
    [[ -z $url ]] || break
    sleep 0.1
  done
  local at=${url#http://}
  exec 3<>"/dev/tcp/${at%%:*}/$(sed 's|^[^:]*:\([0-9]*\).*|\1|' <<<"$at")"
  printf 'GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n' "${at#*/}" "${at%%/*}" >&3
  IFS= read -r answer <&3
  exec 3<&- 3>&-
  kill $pid
  wait $pid || true
  [[ $answer == *" 200 "* || $answer == *" 303 "* ]] || { echo "$url: $answer"; exit 1; } # serve leads on, with a cookie
  echo "$*" >>served.txt
}
`

// TestTutorial does what README's tutorial says, word by word, with the preset micro and drawn photographs. It runs
// where $ONESHOT_SCRIPTS is all (.ci/run).
func TestTutorial(t *testing.T) {
	if os.Getenv("ONESHOT_SCRIPTS") != "all" {
		t.Skip("for $ONESHOT_SCRIPTS=all")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i, name := range []string{"other.jpg", "photos/train/cat/", "photos/train/dog/", "photos/test/cat/", "photos/test/dog/"} {
		for n := range 24 {
			path := filepath.Join(dir, name)
			if strings.HasSuffix(name, "/") {
				path = filepath.Join(path, string(rune('a'+n))+".jpg")
			}
			writePicture(t, path, drawn(40, 36, 100*i+n, false))
		}
	}
	if err := os.Symlink(filepath.Join(root, "examples"), filepath.Join(dir, "examples")); err != nil {
		t.Fatal(err)
	}
	script, blocks, pythons := quickly, 0, 0
	for _, m := range fenced.FindAllStringSubmatch(string(readme), -1) {
		if m[1] == "sh" {
			blocks++
			script += strings.ReplaceAll(m[2], "python3 -m http.server", `background "s|.*(\(http://[^)]*\)).*|\1|p" http.txt /usr/bin/python3 -u -m http.server`)
			continue
		}
		if exec.Command("/usr/bin/python3", "-c", "import torch, PIL, numpy").Run() != nil {
			t.Log("Python is left out: there is no torch, Pillow or NumPy")
			continue
		}
		pythons++
		script += "/usr/bin/python3 - >python.txt <<'END'\n" + m[2] + "END\n"
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.WaitDelay = time.Minute
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PROGRAM="+program(t))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if blocks < 8 {
		t.Errorf("only %d blocks of commands", blocks)
	}
	for _, name := range []string{"first/report.html", "mine/report.html", "compared.html", "mine/export/model.onnx", "page/model.onnx", "mine.yaml"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	served, _ := os.ReadFile(filepath.Join(dir, "served.txt"))
	if bytes.Count(served, []byte("\n")) != 2 {
		t.Errorf("served were %s", served)
	}
	if said, _ := os.ReadFile(filepath.Join(dir, "python.txt")); pythons > 0 && !regexp.MustCompile(`^(cat|dog) 0\.\d+\n$`).Match(said) {
		t.Errorf("Python says %q", said)
	}
}

func writePicture(t *testing.T, path string, m image.Image) {
	t.Helper()
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, nil)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestPicturesAreSmall: those of README are a part of every clone.
func TestPicturesAreSmall(t *testing.T) {
	pictures, err := filepath.Glob(filepath.Join("..", "..", "docs", "pictures", "*"))
	if err != nil || len(pictures) == 0 {
		t.Fatal(pictures, err)
	}
	for _, path := range pictures {
		if info, err := os.Stat(path); err != nil || info.Size() > 150_000 {
			t.Errorf("%s: %v", path, err)
		}
	}
}
