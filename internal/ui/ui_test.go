package ui

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// clock is a time source the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestMeterPlain(t *testing.T) {
	var out, err bytes.Buffer
	u := New(&out, &err, time.Now)
	c := &clock{time.Unix(1000, 0)}
	u.Now = c.now
	m := u.Meter("train", 0, 40)
	for i := range 40 {
		c.t = c.t.Add(time.Second)
		m.Update(i+1, 64, "loss 1.500")
	}
	m.Finish()
	got := err.String()
	if n := strings.Count(got, "\n"); n != 5 { // every 10 s, and the end
		t.Errorf("%d lines:\n%s", n, got)
	}
	for _, want := range []string{"train    10/40  loss 1.500  64 images/s  ETA 30s\n", "train    40/40  loss 1.500  64 images/s  in 40s\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.ContainsAny(got, "\r\x1b") || out.Len() > 0 {
		t.Errorf("control characters, or something on stdout: %q %q", got, out.String())
	}
}

// A resumed stage counts its speed from where it started, not from 0.
func TestMeterResumed(t *testing.T) {
	var err bytes.Buffer
	u := New(&err, &err, time.Now)
	c := &clock{time.Unix(1000, 0)}
	u.Now = c.now
	m := u.Meter("train", 90, 100)
	c.t = c.t.Add(10 * time.Second)
	m.Update(95, 320, "loss 1")
	if want := "train    95/100  loss 1  32 images/s  ETA 10s\n"; err.String() != want {
		t.Errorf("%q, want %q", err.String(), want)
	}
}

func TestQuiet(t *testing.T) {
	var err bytes.Buffer
	u := New(&err, &err, time.Now)
	u.Quiet = true
	c := &clock{time.Unix(1000, 0)}
	u.Now = c.now
	u.Infof("not shown")
	u.Debugf("not shown")
	m := u.Meter("train", 0, 2)
	c.t = c.t.Add(time.Minute)
	m.Update(1, 64, "")
	m.Finish()
	if err.Len() > 0 {
		t.Errorf("%q", err.String())
	}
	u.Warnf("shown")
	if err.String() != "warning: shown\n" {
		t.Errorf("%q", err.String())
	}
}

// On a terminal there is a bar; this is the control of the tests above.
func TestMeterLive(t *testing.T) {
	var err bytes.Buffer
	u := New(&err, &err, time.Now)
	u.Live = true
	m := u.Meter("train", 0, 2)
	time.Sleep(110 * time.Millisecond) // the bar draws at most every 100 ms
	m.Update(1, 64, "loss 1.5")
	m.Finish()
	if !strings.ContainsAny(err.String(), "\r\x1b") {
		t.Errorf("no bar: %q", err.String())
	}
}
