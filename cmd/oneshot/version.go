package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"oneshot/internal/rundir"

	"github.com/spf13/cobra"
)

// version is the release; set at build time with -ldflags "-X main.version=...".
var version = "0.1.0"

// build says which program this is.
func build() rundir.Program {
	v := rundir.Program{Version: version, Revision: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	dirty := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	if v.Revision != "unknown" {
		v.Revision += dirty
	}
	return v
}

// versionLine is what version and --version print.
func versionLine() string {
	v := build()
	return fmt.Sprintf("oneshot %s (revision %s, %s, %s)", v.Version, v.Revision, v.Go, v.Platform)
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of this program", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := build()
			if a.opt.json {
				return a.ui.JSON(v)
			}
			a.ui.Printf("%s\n", versionLine())
			return nil
		},
	}
}
