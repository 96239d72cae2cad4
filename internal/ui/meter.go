package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Meter shows the progress of one stage.
type Meter struct {
	u            *UI
	stage        string
	done, total  int
	start, shown time.Time
	startDone    int // what a resumed stage had done before this process
	images       int64
	shownImages  int64
	rate         float64 // images per second between the last two reports
	pace         pace
	within       func() time.Duration // see Within
	note         string
}

// Within says that the stage also ends when that much time is over, which left returns.
func (m *Meter) Within(left func() time.Duration) { m.within = left }

// Meter starts the display of a stage that stands at done of total.
func (u *UI) Meter(stage string, done, total int) *Meter {
	now := u.Now()
	m := &Meter{u: u, stage: stage, done: done, startDone: done, total: total, start: now, shown: now}
	m.pace.begin(now, done)
	if u.Live && !u.Quiet {
		u.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(u.Err), progressbar.OptionSetWidth(24),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetDescription(stage), progressbar.OptionUseANSICodes(true),
			progressbar.OptionShowDescriptionAtLineEnd())
		u.bar.Set(done)
	}
	return m
}

// lateness is how long a thing may take before its progress is worth a word.
const lateness = 2 * time.Second

// Late is a meter for what is over at once, mostly: it shows itself when that is not so.
// The total is not known before the first report.
func (u *UI) Late(stage string, since time.Time) (show func(done, total int), finish func()) {
	var m *Meter
	last := 0
	show = func(done, total int) {
		if m == nil {
			if u.Now().Sub(since) < lateness {
				last = done
				return
			}
			m = u.Meter(stage, last, total)
		}
		m.Update(done, done-m.done, "")
	}
	return show, func() {
		if m != nil {
			m.Finish()
		}
	}
}

// Update reports that done units are finished, the last of which processed
// images; note is a short figure such as "loss 1.234".
func (m *Meter) Update(done, images int, note string) {
	m.done, m.note = done, note
	m.images += int64(images)
	now := m.u.Now()
	if now.Before(m.shown) { // the clock was set back: what it says counts from here
		m.shown, m.shownImages = now, m.images
	}
	m.pace.update(now, done)
	if since := now.Sub(m.shown); since >= m.u.Every || (m.u.bar != nil && m.rate == 0 && since > time.Second) {
		m.measure(now)
		m.print()
	}
	if m.u.bar != nil {
		m.u.bar.Describe(m.stage + "  " + m.figures())
		m.u.bar.Set(done)
	}
}

func (m *Meter) measure(now time.Time) {
	if s := now.Sub(m.shown).Seconds(); s > 0 {
		m.rate = float64(m.images-m.shownImages) / s
	}
	m.shown, m.shownImages = now, m.images
}

func (m *Meter) print() {
	m.u.Log.Info("progress", "stage", m.stage, "done", m.done, "total", m.total,
		"images_per_s", m.rate, "seconds_left", m.left().Seconds(), "note", m.note)
	if m.u.bar == nil && !m.u.Quiet {
		fmt.Fprintf(m.u.Err, "%-8s %d/%d  %s\n", m.stage, m.done, m.total, m.figures())
	}
}

// left is how long the stage will go on; 0 where that is not known.
func (m *Meter) left() time.Duration {
	if m.done == m.startDone || m.done >= m.total {
		return 0
	}
	left := m.pace.left(m.total - m.done)
	if left < 0 || left > longest {
		return 0
	}
	if m.within != nil {
		left = min(left, max(0, m.within()))
	}
	return left
}

// figures is "loss 1.234  310 images/s  ETA 1m20s"; parts not known are left out.
func (m *Meter) figures() string {
	var parts []string
	if m.note != "" {
		parts = append(parts, m.note)
	}
	if m.rate > 0 {
		parts = append(parts, fmt.Sprintf("%.0f images/s", m.rate))
	}
	if left := m.left(); left > 0 {
		parts = append(parts, "ETA "+left.Round(time.Second).String())
	}
	return strings.Join(parts, "  ")
}

// longest is the time left that is worth saying. A longer one comes of a clock that was set.
const longest = 10 * 365 * 24 * time.Hour

// elapsed is the time between two readings of a clock that may have been set back. Those of time.Now are
// compared by a clock that nobody sets.
func elapsed(from, to time.Time) time.Duration { return max(0, to.Sub(from)) }

// Finish takes the bar away and reports the stage in one line.
func (m *Meter) Finish() {
	now := m.u.Now()
	if m.u.bar != nil {
		m.u.bar.Clear()
		m.u.bar = nil
	}
	if m.done == m.startDone {
		return
	}
	m.shown, m.shownImages = m.start, 0
	m.measure(now)
	took := elapsed(m.start, now)
	m.u.Log.Info("stage", "stage", m.stage, "done", m.done, "total", m.total,
		"images_per_s", m.rate, "seconds", took.Seconds(), "note", m.note)
	if !m.u.Quiet {
		fmt.Fprintf(m.u.Err, "%-8s %d/%d  %s  in %s\n", m.stage, m.done, m.total, m.figures(), Rounded(took))
	}
}
