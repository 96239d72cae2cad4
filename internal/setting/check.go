package setting

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Error is a setting that is out of range.
type Error struct {
	Section string // in which it was found: train; "" outside of sections
	Name    string // lr
	Value   any
	Want    string   // "" where Fact says it all
	Among   []string // the words it should be one of, nil for others
	Fact    string   // instead of name and value, where the trouble is between several settings
}

// Error is "train.lr = -1: want a number above 0, at most 10" of a section of a
// configuration, and "lr is -1, want ..." outside.
func (e *Error) Error() string {
	at, is, want := e.Name, " is ", ", want "
	if e.Section != "" {
		at, is, want = e.Section+"."+e.Name, " = ", ": want "
	}
	section := strings.TrimSuffix(at, e.Name)
	text := strings.ReplaceAll(e.Fact, "@", section)
	if text == "" {
		text = at + is + format(e.Value)
	}
	if e.Want != "" {
		text += want + strings.ReplaceAll(e.Want, "@", section)
	}
	return text
}

func format(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}

// Rule is what a setting is held to beyond what its tag can say. In Want and Fact an @
// stands for the section: "0 to @lr" is "0 to train.lr".
type Rule struct {
	Name  string // of the setting it is about
	OK    bool   // it holds
	Want  string
	Value any      // where it is a part of the setting's value; nil is the value
	Among []string // see Error
	Fact  string   // see Error
}

// Ruled is a struct with rules between its settings.
type Ruled interface{ Rules() []Rule }

// Check returns what is wrong with the settings of a struct, or of one that v points
// to, in the order of the settings. All of them are checked, also those in sections.
func Check(v any) []*Error {
	from := reflect.Indirect(reflect.ValueOf(v))
	top := reflect.New(from.Type()).Elem() // a copy, as fields have to be addressable
	top.Set(from)
	var fields []Field
	rules := map[string][]Rule{} // by the keys of the settings
	walk(top, "", &fields, func(v reflect.Value, section string) {
		if r, ok := v.Interface().(Ruled); ok {
			for _, r := range r.Rules() {
				key := join(section, r.Name)
				rules[key] = append(rules[key], r)
			}
		}
	})
	var errs []*Error
	for _, f := range fields {
		errs = append(errs, f.check(rules[f.Key])...)
		delete(rules, f.Key)
	}
	for key := range rules {
		panic(fmt.Sprintf("setting: a rule is about %s, which is no setting", key))
	}
	return errs
}

// check holds a setting to its tag and to the rules about it.
func (f Field) check(rules []Rule) (errs []*Error) {
	if f.ruled && len(rules) == 0 {
		panic(fmt.Sprintf("setting: %s has the tag rule, and no method Rules has one for it", f.Key))
	}
	for _, t := range f.want.tests {
		if !t.ok(f.Value) {
			errs = append(errs, &Error{Section: f.section, Name: f.name, Value: f.Value.Interface(), Want: t.text, Among: f.want.among})
		}
	}
	for _, r := range rules {
		if r.OK {
			continue
		}
		e := &Error{Section: f.section, Name: f.name, Value: r.Value, Want: r.Want, Among: r.Among, Fact: r.Fact}
		if e.Value == nil {
			e.Value = f.Value.Interface()
		}
		// A struct around one that has rules has the same ones by promotion.
		same := func(o *Error) bool { return o.Error() == e.Error() }
		if !slices.ContainsFunc(errs, same) {
			errs = append(errs, e)
		}
	}
	return errs
}

// First is the first of Check's errors as that of a package, which its name begins; nil
// if there is none. It wraps an *Error.
func First(pkg string, v any) error {
	if errs := Check(v); len(errs) > 0 {
		return fmt.Errorf("%s: %w", pkg, errs[0])
	}
	return nil
}
