package setting

import (
	"errors"
	"strconv"
)

// Whole is a flag for a whole number, of package flag and of pflag. Unlike their own it reads 010 as ten.
//
//	fs.Var(&rounds, "rounds", "how often") // with rounds := setting.Whole(5)
type Whole int

func (v *Whole) String() string { return strconv.Itoa(int(*v)) }

// Type is what help calls it.
func (v *Whole) Type() string { return "int" }

// Set reads a number as Decimal does.
func (v *Whole) Set(text string) error {
	number, _ := Decimal(text)
	n, err := strconv.Atoi(number)
	if err != nil {
		return errors.New("want a whole number")
	}
	*v = Whole(n)
	return nil
}

// Natural is Whole of what has no sign and may be as large as a seed.
type Natural uint64

func (v *Natural) String() string { return strconv.FormatUint(uint64(*v), 10) }

// Type is what help calls it.
func (v *Natural) Type() string { return "uint" }

// Set reads a number as Decimal does.
func (v *Natural) Set(text string) error {
	number, _ := Decimal(text)
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return errors.New("want a whole number, 0 or more")
	}
	*v = Natural(n)
	return nil
}
