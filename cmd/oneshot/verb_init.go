package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
)

// initFile is what init writes where no name is given.
const initFile = "oneshot.yaml"

func (a *app) initCmd() *cobra.Command {
	var schema bool
	cmd := &cobra.Command{
		Use: "init [FILE]", Short: "Write a configuration file to edit: every key with its meaning, range and default",
		Long: "init writes FILE (" + initFile + " where none is named) with every key and the values of the preset and of the\n" +
			"flags that are given: --preset, -c, --set, --data-dir and the like. A file that is there stays as it is.\n" +
			"`oneshot run -c FILE` takes it. With --schema it prints the JSON Schema of such files instead, with which\n" +
			"editors complete and check them.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fault.Usage("", "init wants one file or none, but got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			request := a.opt.request()
			if !schema {
				return a.initFile(append(args, initFile)[0], request)
			}
			if len(args) > 0 || request.File != "" || request.Preset != "" || len(request.Sets)+len(request.Flags) > 0 {
				return fault.Usage("`oneshot init --schema >FILE` writes it to a file", "--schema prints the schema of all configurations, and takes nothing else")
			}
			b, err := config.Schema()
			if err != nil {
				return err
			}
			_, err = a.ui.Out.Write(b)
			return err
		},
	}
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of configuration files instead")
	return cmd
}

type initReport struct {
	File   string `json:"file"`
	Preset string `json:"preset"`
}

// initFile writes the configuration asked for to a file that is not there yet.
func (a *app) initFile(path string, request config.Request) error {
	r, err := request.Recipe("tiny")
	if err != nil {
		return err
	}
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fault.Usage("give another name, as in `oneshot init mine.yaml`", "%s is there already, and stays as it is", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	b, err := r.Template()
	if err != nil {
		return err
	}
	if err := pipeline.WriteFile(path, b); err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(initReport{path, r.Config.Preset})
	}
	a.ui.Printf("wrote    %s\n", path)
	a.ui.Printf("next     oneshot run -c %s\n", fault.ShellWord(path))
	return nil
}
