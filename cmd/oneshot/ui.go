package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// ui is everything a person sees. Results go to out (stdout), everything else
// to err (stderr): a bar that redraws itself on a terminal, else a line every
// few seconds. What is said is also kept in the log of the run folder.
type ui struct {
	out, err       io.Writer
	live           bool // stderr is a terminal that takes control characters
	quiet, verbose bool
	every          time.Duration
	now            func() time.Time
	log            *slog.Logger
	bar            *progressbar.ProgressBar // the bar on screen, nil if none
	failed         error                    // the first result that could not be printed
}

func newUI(out, err io.Writer) *ui {
	return &ui{
		out: out, err: err, live: isLive(err), every: 10 * time.Second, now: time.Now,
		log: slog.New(slog.DiscardHandler),
	}
}

// isLive reports whether w is a terminal, and nothing in the environment asks
// for plain text.
func isLive(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("NO_COLOR") != "" || os.Getenv("CI") != "" {
		return false
	}
	return term.IsTerminal(int(f.Fd()))
}

// infof says something that matters to everyone; --quiet hides it.
func (u *ui) infof(format string, args ...any) { u.say(slog.LevelInfo, !u.quiet, format, args...) }

// warnf says something the user should act on; nothing hides it.
func (u *ui) warnf(format string, args ...any) {
	u.say(slog.LevelWarn, true, "warning: "+format, args...)
}

// debugf says something for --verbose; the log has it always.
func (u *ui) debugf(format string, args ...any) { u.say(slog.LevelDebug, u.verbose, format, args...) }

func (u *ui) say(level slog.Level, show bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	u.log.Log(context.Background(), level, text)
	if !show {
		return
	}
	u.clearBar()
	fmt.Fprintln(u.err, text)
}

func (u *ui) clearBar() {
	if u.bar != nil {
		u.bar.Clear()
	}
}

// json prints v as one line on stdout.
func (u *ui) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("json: %w", err)
	}
	_, err = fmt.Fprintf(u.out, "%s\n", b)
	return err
}

// printf writes a result for people on stdout.
func (u *ui) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(u.out, format, args...); err != nil && u.failed == nil {
		u.failed = err
	}
}

// meter shows the progress of one stage.
type meter struct {
	u            *ui
	stage        string
	done, total  int
	start, shown time.Time
	startDone    int // what a resumed stage had done before this process
	images       int64
	shownImages  int64
	rate         float64 // images per second between the last two reports
	note         string
}

// meter starts the display of a stage that stands at done of total.
func (u *ui) meter(stage string, done, total int) *meter {
	now := u.now()
	m := &meter{u: u, stage: stage, done: done, startDone: done, total: total, start: now, shown: now}
	if u.live && !u.quiet {
		u.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(u.err), progressbar.OptionSetWidth(24),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetDescription(stage), progressbar.OptionUseANSICodes(true),
			progressbar.OptionShowDescriptionAtLineEnd())
		u.bar.Set(done)
	}
	return m
}

// update reports that done units are finished, the last of which processed
// images; note is a short figure such as "loss 1.234".
func (m *meter) update(done, images int, note string) {
	m.done, m.note = done, note
	m.images += int64(images)
	now := m.u.now()
	if since := now.Sub(m.shown); since >= m.u.every || (m.u.bar != nil && m.rate == 0 && since > time.Second) {
		m.measure(now)
		m.print()
	}
	if m.u.bar != nil {
		m.u.bar.Describe(m.stage + "  " + m.figures(now))
		m.u.bar.Set(done)
	}
}

func (m *meter) measure(now time.Time) {
	if s := now.Sub(m.shown).Seconds(); s > 0 {
		m.rate = float64(m.images-m.shownImages) / s
	}
	m.shown, m.shownImages = now, m.images
}

func (m *meter) print() {
	now := m.u.now()
	m.u.log.Info("progress", "stage", m.stage, "done", m.done, "total", m.total,
		"images_per_s", m.rate, "note", m.note)
	if m.u.bar == nil && !m.u.quiet {
		fmt.Fprintf(m.u.err, "%-8s %d/%d  %s\n", m.stage, m.done, m.total, m.figures(now))
	}
}

// figures is "loss 1.234  310 images/s  ETA 1m20s"; parts not known are left out.
func (m *meter) figures(now time.Time) string {
	var parts []string
	if m.note != "" {
		parts = append(parts, m.note)
	}
	if m.rate > 0 {
		parts = append(parts, fmt.Sprintf("%.0f images/s", m.rate))
	}
	if n := m.done - m.startDone; n > 0 && m.done < m.total {
		left := time.Duration(float64(now.Sub(m.start)) / float64(n) * float64(m.total-m.done))
		parts = append(parts, "ETA "+left.Round(time.Second).String())
	}
	return strings.Join(parts, "  ")
}

// rounded leaves out the digits nobody reads.
func rounded(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// finish takes the bar away and reports the stage in one line.
func (m *meter) finish() {
	now := m.u.now()
	if m.u.bar != nil {
		m.u.bar.Clear()
		m.u.bar = nil
	}
	if m.done == m.startDone {
		return
	}
	m.shown, m.shownImages = m.start, 0
	m.measure(now)
	took := now.Sub(m.start)
	m.u.log.Info("stage", "stage", m.stage, "done", m.done, "total", m.total,
		"images_per_s", m.rate, "seconds", took.Seconds(), "note", m.note)
	if !m.u.quiet {
		fmt.Fprintf(m.u.err, "%-8s %d/%d  %s  in %s\n", m.stage, m.done, m.total, m.figures(now), rounded(took))
	}
}
