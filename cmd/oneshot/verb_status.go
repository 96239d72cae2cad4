package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status RUN", Short: "Say where each stage of a run folder stands, and which command goes on",
		Long: "status says of each stage of a run whether it is fresh (complete, and computed from what is\n" +
			"there now), partial (it goes on from where it stands), stale (computed from something else\n" +
			"than is there now) or none (not begun), why, and which command brings it up to date.\n" +
			"It changes nothing and needs neither images nor a device.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fault.Usage("", "status wants one run folder, but got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.status(rundir.Folder(args[0])) },
	}
}

type statusReport struct {
	Run    string          `json:"run"`
	Stages []pipeline.Link `json:"stages"`
	// Next is the command that goes on; "" where everything is fresh.
	Next string `json:"next,omitempty"`
	// Notes are what else is to be said of the folder.
	Notes []string `json:"notes,omitempty"`
}

func (a *app) status(d rundir.Folder) error {
	chain, err := pipeline.Chain(d)
	if err != nil {
		return err
	}
	out := statusReport{Run: d.Base(), Stages: chain, Next: pipeline.Next(chain)}
	if !d.Has("manifest.json") {
		out.Notes = append(out.Notes, "manifest.json is gone: the next verb that goes on writes it again, but for when the run began")
	}
	others, err := pipeline.OtherExports(d)
	if err != nil {
		return err
	}
	ranks, err := pipeline.RankNotes(d)
	if err != nil {
		return err
	}
	out.Notes = append(append(out.Notes, others...), ranks...)
	if a.opt.json {
		return a.ui.JSON(out)
	}
	for _, l := range chain {
		why := l.Why
		if why != "" {
			why = "  " + strings.ReplaceAll(why, "\n  ", "\n"+strings.Repeat(" ", 19))
		}
		done := ""
		if l.Done > 0 {
			done = strconv.Itoa(l.Done)
		}
		a.ui.Printf("%s\n", ui.Message(strings.TrimRight(fmt.Sprintf("%-8s %-7s %s%s", l.Stage, l.State, done, why), " ")))
		for _, c := range l.Changes {
			a.ui.Printf("%-8s changed %s\n", "", ui.Message(strings.ReplaceAll(c, "\n ", "")))
		}
	}
	for _, note := range out.Notes {
		a.ui.Printf("note     %s\n", ui.Message(note))
	}
	a.printNext(out.Next)
	return nil
}

// showNext prints which command goes on in a run folder.
func (a *app) showNext(d rundir.Folder) error {
	chain, err := pipeline.Chain(d)
	if err == nil {
		a.printNext(pipeline.Next(chain))
	}
	return err
}

// printNext prints a command that goes on; "" is none.
func (a *app) printNext(command string) {
	if command != "" {
		a.ui.Printf("next     %s\n", command)
	}
}
