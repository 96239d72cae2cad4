package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/fault"
)

// TestServeStopsARun: the program prints an address on this machine only, its page's button stops a training with the code
// of Ctrl-C, and it ends without an error when it is asked to.
func TestServeStopsARun(t *testing.T) {
	oneshot, dir := program(t), filepath.Join(t.TempDir(), "run")
	run := exec.Command(oneshot, "train", "--preset", "micro", "--set", "train.steps=100000", "--out", dir, "--quiet")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer run.Process.Kill()
	for range 600 {
		if b, _ := os.ReadFile(filepath.Join(dir, "metrics.jsonl")); len(b) > 500 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	server := exec.Command(oneshot, "serve", dir, "--json")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var said serveReport
	if err := json.Unmarshal([]byte(line), &said); err != nil || !said.Run || !regexp.MustCompile(`^http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{32}$`).MatchString(said.Address) {
		t.Fatalf("it prints %s: %v", line, err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	answer, err := browser.Get(said.Address)
	if err != nil {
		t.Fatal(err)
	}
	page := make([]byte, 1<<20)
	n := 0
	for n < len(page) {
		k, err := answer.Body.Read(page[n:])
		if n += k; err != nil {
			break
		}
	}
	answer.Body.Close()
	key := regexp.MustCompile(`name="key" value="([0-9a-f]+)"`).FindSubmatch(page[:n])
	if key == nil || !strings.Contains(string(page[:n]), "goes on") {
		t.Fatalf("the page is\n%s", page[:n])
	}
	post, err := http.NewRequest("POST", answer.Request.URL.String()+"stop", strings.NewReader(url.Values{"key": {string(key[1])}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.Header.Set("Sec-Fetch-Site", "same-origin")
	if answer, err = browser.Do(post); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("the button is answered with %v, %v", answer, err)
	}
	answer.Body.Close()
	run.Wait()
	if code := run.ProcessState.ExitCode(); code != fault.ExitStopped {
		t.Errorf("the run ended with %d, want %d", code, fault.ExitStopped)
	}
	server.Process.Signal(syscall.SIGTERM)
	if err := server.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
