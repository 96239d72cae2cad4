package main

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"oneshot/data"
	"oneshot/internal/config"
)

// version is the release; set at build time with -ldflags "-X main.version=...".
var version = "0.1.0"

type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionInfo() versionInfo {
	v := versionInfo{version, "unknown", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
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

func newManifest(c config.Config, d *data.Dataset, now time.Time) manifest {
	v := newVersionInfo()
	return manifest{
		Schema: manifestSchema, Version: v.Version, Revision: v.Revision, Go: v.Go, Platform: v.Platform,
		CPU: cpuModel(), Seed: c.Seed, Started: now.Format(time.RFC3339),
		Dataset: manifestDataset{d.Name, d.Provenance, d.SHA256, d.Train.Len(), d.Search.Len(), d.Test.Len()},
	}
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of this program", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := newVersionInfo()
			if a.opt.json {
				return a.ui.json(v)
			}
			a.ui.printf("oneshot %s (revision %s, %s, %s)\n", v.Version, v.Revision, v.Go, v.Platform)
			return nil
		},
	}
}
