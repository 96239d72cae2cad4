package main

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestEveryValueIsCompleted: a flag that takes a text, a key or a list has somebody who completes it; numbers have a
// range that is told, or nothing to say.
func TestEveryValueIsCompleted(t *testing.T) {
	a := &app{opt: &options{}}
	root := a.rootCmd()
	seen := 0
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			switch f.Value.Type() {
			case "bool", "int", "float64", "count", "size":
				return
			}
			seen++
			if _, ok := cmd.GetFlagCompletionFunc(f.Name); !ok {
				t.Errorf("%s --%s (%s) is completed by nobody", cmd.CommandPath(), f.Name, f.Value.Type())
			}
		})
		for _, c := range cmd.Commands() {
			look(c)
		}
	}
	look(root)
	if seen < 60 {
		t.Errorf("only %d flags seen", seen)
	}
}
