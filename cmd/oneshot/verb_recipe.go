package main

import (
	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/fault"
)

func (a *app) recipeCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "recipe [NAME]",
		Short: "Print a preset as a configuration file, with the source of each value; or list the presets",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fault.Usage("", "recipe wants one name or none, but got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listPresets()
			}
			return a.recipe(args[0])
		},
	}
}

type presetsReport struct {
	Presets []config.Preset `json:"presets"`
}

func (a *app) listPresets() error {
	if a.opt.json {
		return a.ui.JSON(presetsReport{config.Presets()})
	}
	a.ui.Printf("%s", config.PresetHelp())
	return nil
}

type recipeReport struct {
	Name    string            `json:"name"`
	About   string            `json:"about"`
	Notes   []string          `json:"notes"`
	Config  config.Config     `json:"config"`
	Sources map[string]string `json:"sources"` // by key; a key that is not there has the default
}

func (a *app) recipe(name string) error {
	r, err := config.OpenRecipe(name)
	if err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(recipeReport{r.Name, r.About, r.Notes, r.Config, r.Sources})
	}
	b, err := r.YAML()
	if err != nil {
		return err
	}
	_, err = a.ui.Out.Write(b)
	return err
}
