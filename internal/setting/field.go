package setting

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Field is a setting of a struct.
type Field struct {
	Key     string        // with its section: train.lr
	Value   reflect.Value // settable
	Default string        // as the tag has it; "" is the zero value
	Want    string        // the range for people, "" where every value is one
	Doc     string

	section string // train, or ""
	name    string // lr
	want    want
	ruled   bool // it has the tag rule
}

// Chooser is a struct some of whose settings are names that are known when it runs.
type Chooser interface {
	// Choices are the values of a setting whose tag says want:"choice".
	Choices(name string) []string
}

// Fields lists the settings of the struct that p points to, in the order in which they
// are declared.
func Fields(p any) []Field {
	var out []Field
	walk(reflect.ValueOf(p).Elem(), "", &out, nil)
	return out
}

// Default returns a T whose settings have the values of their tags.
func Default[T any]() T {
	var v T
	for _, f := range Fields(&v) {
		if err := f.setDefault(); err != nil {
			panic(fmt.Sprintf("setting: %s: default %q: %v", f.Key, f.Default, err))
		}
	}
	return v
}

// walk lists the settings of a struct in a section. each, if not nil, is told every
// struct on the way, before its settings are listed.
func walk(v reflect.Value, section string, out *[]Field, each func(v reflect.Value, section string)) {
	if each != nil {
		each(v, section)
	}
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case f.Anonymous && name == "":
			walk(v.Field(i), section, out, each)
		case name == "" || name == "-":
			for _, tag := range []string{"default", "want", "rule", "doc"} {
				if f.Tag.Get(tag) != "" {
					panic(fmt.Sprintf("setting: %v.%s has a tag %s and no key", t, f.Name, tag))
				}
			}
		case f.Type.Kind() == reflect.Struct:
			walk(v.Field(i), join(section, name), out, each)
		default:
			*out = append(*out, read(v, i, section, name))
		}
	}
}

func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// read reads the tags of field i of a struct.
func read(v reflect.Value, i int, section, name string) Field {
	tag := v.Type().Field(i).Tag
	f := Field{Key: join(section, name), Value: v.Field(i), Default: tag.Get("default"), Doc: tag.Get("doc"), section: section, name: name}
	text, rule := tag.Get("want"), tag.Get("rule")
	switch {
	case text != "" && rule != "":
		panic(fmt.Sprintf("setting: %s has a tag want and a tag rule", f.Key))
	case rule != "":
		f.Want, f.ruled = rule, true
	case text == "" && (f.Value.CanInt() || f.Value.CanFloat()):
		panic(fmt.Sprintf("setting: %s is a number without a range", f.Key))
	case text != "":
		var err error
		if f.want, err = parseWant(text, f.Value, func() []string { return choices(v, name) }); err != nil {
			panic(fmt.Sprintf("setting: %s: want %q: %v", f.Key, text, err))
		}
		f.Want = text
		if f.want.among != nil {
			f.Want = strings.Join(f.want.among, ", ")
		}
	}
	return f
}

func choices(v reflect.Value, name string) []string {
	if c, ok := v.Interface().(Chooser); ok {
		return c.Choices(name)
	}
	return nil
}

// setDefault stores what the tag says.
func (f Field) setDefault() error {
	if f.Default == "" {
		return nil
	}
	if u, ok := f.Value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(f.Default))
	}
	var err error
	switch v := f.Value; {
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(f.Default, 10, v.Type().Bits())
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(f.Default, 10, v.Type().Bits())
		v.SetUint(n)
	case v.CanFloat():
		var x float64
		x, err = strconv.ParseFloat(f.Default, 64)
		v.SetFloat(x)
	case v.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(f.Default)
		v.SetBool(b)
	case v.Kind() == reflect.String:
		v.SetString(f.Default)
	default:
		err = fmt.Errorf("no default can be given for a %v", v.Type())
	}
	return err
}
