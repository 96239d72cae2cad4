package main

import (
	"errors"
	"strconv"

	"github.com/spf13/pflag"

	"oneshot/internal/setting"
)

// wholeValue is a flag for a whole number. Unlike pflag's own it reads 010 as ten.
type wholeValue int

// wholeVar declares one, with its default.
func wholeVar(fs *pflag.FlagSet, p *int, name string, value int, usage string) {
	*p = value
	fs.Var((*wholeValue)(p), name, usage)
}

func (v *wholeValue) String() string { return strconv.Itoa(int(*v)) }
func (v *wholeValue) Type() string   { return "int" }

func (v *wholeValue) Set(text string) error {
	number, _ := setting.Decimal(text)
	n, err := strconv.Atoi(number)
	if err != nil {
		return errors.New("want a whole number")
	}
	*v = wholeValue(n)
	return nil
}
