package tars

import (
	"fmt"
	"slices"
	"strconv"

	"oneshot/data/source"
	"oneshot/data/source/index"
)

// labels collects the labels of samples and decides what the classes are.
type labels struct {
	classes []string // of the file of class names, or nil

	ids                     map[string]int32 // of names: positions in classes, or by first use
	most                    int              // the largest number
	numbers, names          int
	firstNumber, firstNamed source.Place
}

func (l *labels) count() int { return l.numbers + l.names }

// add returns the label of a sample whose label stands at p, or what is wrong with it.
// Without a file of class names, names count by first use until finish sorts them.
func (l *labels) add(of label, p source.Place) (y int32, wrong string) {
	if !of.named {
		if l.classes != nil && of.number >= len(l.classes) {
			return 0, fmt.Sprintf("is label %d, want one of the %d classes", of.number, len(l.classes))
		}
		if l.numbers == 0 {
			l.firstNumber = p
		}
		l.numbers++
		l.most = max(l.most, of.number)
		return int32(of.number), ""
	}
	if l.ids == nil {
		l.ids = make(map[string]int32, len(l.classes))
		for i, c := range l.classes {
			l.ids[c] = int32(i)
		}
	}
	y, ok := l.ids[of.name]
	if !ok {
		if l.classes != nil {
			return 0, fmt.Sprintf("is label %.40q, which is none of the %d classes", of.name, len(l.classes))
		}
		if !source.IsClassName(of.name) {
			return 0, fmt.Sprintf("is label %.40q, want a name of one line, of at most %d bytes", of.name, source.MaxClassName)
		}
		if len(l.ids) >= source.MaxClasses {
			return 0, fmt.Sprintf("is one label more than %d", source.MaxClasses)
		}
		y = int32(len(l.ids))
		l.ids[of.name] = y
	}
	if l.names == 0 {
		l.firstNamed = p
	}
	l.names++
	return y, ""
}

// finish sets the classes, and the labels where their names had to be sorted first.
func (l *labels) finish(in *source.Info, root string) error {
	switch {
	case l.classes != nil:
		in.Classes, in.Named = l.classes, true
	case l.numbers > 0 && l.names > 0:
		p := l.firstNamed
		return &source.FileError{File: index.Join(root, p.File), Offset: p.Offset,
			Msg:  fmt.Sprintf("member %s names its class, but member %s of %s numbers it", source.Shown(p.Member), source.Shown(l.firstNumber.Member), source.Shown(l.firstNumber.File)),
			Hint: "put a classes.txt beside the tar files, a class name in each line, in the order of the numbers"}
	case l.names > 0:
		in.Classes, in.Named = sortedKeys(l.ids), true
		to := make([]int32, len(in.Classes))
		for name, y := range l.ids {
			i, _ := slices.BinarySearch(in.Classes, name)
			to[y] = int32(i)
		}
		for _, s := range in.Splits {
			for i, y := range s.Labels {
				s.Labels[i] = to[y]
			}
		}
	default:
		for i := range l.most + 1 {
			in.Classes = append(in.Classes, strconv.Itoa(i))
		}
	}
	return nil
}
