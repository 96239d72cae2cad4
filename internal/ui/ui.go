package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"
)

// UI is everything a person sees. Results go to Out (stdout), everything else
// to Err (stderr): a bar that redraws itself on a terminal, else a line every
// few seconds. What is said is also kept in Log.
type UI struct {
	Out, Err       io.Writer
	Live           bool // Err is a terminal that takes control characters
	Quiet, Verbose bool
	Every          time.Duration // between lines of progress where there is no terminal
	Now            func() time.Time
	Log            *slog.Logger
	bar            *progressbar.ProgressBar // the bar on screen, nil if none
	failed         error                    // the first result that could not be printed
}

// New shows what is said on err and what comes out on out, without control
// characters, every 10 seconds by the clock now; nothing is logged yet.
func New(out, err io.Writer, now func() time.Time) *UI {
	return &UI{Out: out, Err: err, Every: 10 * time.Second, Now: now, Log: slog.New(slog.DiscardHandler)}
}

// Failed is the first error of printing a result: such a run is no success.
func (u *UI) Failed() error { return u.failed }

// Fail keeps the first error of printing a result; nil is none.
func (u *UI) Fail(err error) {
	if u.failed == nil {
		u.failed = err
	}
}

// Infof says something that matters to everyone; --quiet hides it.
func (u *UI) Infof(format string, args ...any) { u.say(slog.LevelInfo, !u.Quiet, format, args...) }

// Warnf says something the user should act on; nothing hides it.
func (u *UI) Warnf(format string, args ...any) {
	u.say(slog.LevelWarn, true, "warning: "+format, args...)
}

// Debugf says something for --verbose; the log has it always.
func (u *UI) Debugf(format string, args ...any) { u.say(slog.LevelDebug, u.Verbose, format, args...) }

func (u *UI) say(level slog.Level, show bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	u.Log.Log(context.Background(), level, text)
	if !show {
		return
	}
	u.ClearBar()
	fmt.Fprintln(u.Err, Message(text))
}

// ClearBar takes the bar away until it is drawn again, so that a result has a line of
// its own.
func (u *UI) ClearBar() {
	if u.bar != nil {
		u.bar.Clear()
	}
}

// JSON prints v as one line on stdout.
func (u *UI) JSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("json: %w", err)
	}
	_, err = fmt.Fprintf(u.Out, "%s\n", b)
	return err
}

// Printf writes a result for people on stdout.
func (u *UI) Printf(format string, args ...any) {
	_, err := fmt.Fprint(u.Out, Safe(fmt.Sprintf(format, args...)))
	u.Fail(err)
}
