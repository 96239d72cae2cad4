package main

import (
	"github.com/spf13/pflag"

	"oneshot/internal/setting"
)

// wholeVar declares a flag for a whole number, with its default.
func wholeVar(fs *pflag.FlagSet, p *int, name string, value int, usage string) {
	*p = value
	fs.Var((*setting.Whole)(p), name, usage)
}
