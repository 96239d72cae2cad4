package source

import (
	"errors"
	"strings"
	"testing"
)

// splits is a collection whose files divide it so.
func splits(names ...string) *Info {
	info := &Info{}
	for _, n := range names {
		info.Splits = append(info.Splits, Split{Name: n})
	}
	return info
}

// TestAssign: a case for every rule.
func TestAssign(t *testing.T) {
	for _, c := range []struct {
		names                string // of the splits, by comma
		searchFrom, testFrom string
		want                 Roles
	}{
		// What the files say.
		{"train,val,test", "", "", Roles{0, 1, 2}},
		{"test,train,validation", "", "", Roles{1, 2, 0}},
		{"Training,DEV,eval", "", "", Roles{0, 1, 2}},
		{"train,test", "", "", Roles{0, -1, 1}},
		{"train,val", "", "", Roles{0, -1, 1}},
		{"extra,train,valid", "", "", Roles{1, -1, 2}},
		{"train,extra", "", "", Roles{0, -1, -1}},
		// One split is trained on, whatever it is called.
		{"", "", "", Roles{0, -1, -1}},
		{"train", "", "", Roles{0, -1, -1}},
		{"val", "", "", Roles{0, -1, -1}},
		{"test", "", "", Roles{0, -1, -1}},
		{"photos", "", "", Roles{0, -1, -1}},
		// test_from.
		{"train,val,test", "", "val", Roles{0, -1, 1}},
		{"train,val,test", "", "train", Roles{0, 1, -1}},
		{"train,val", "", "train", Roles{0, 1, -1}},
		{"train,extra,test", "", "extra", Roles{0, -1, 1}},
		{"train,validation", "", "val", Roles{0, -1, 1}},
		{"Training,test", "", "train", Roles{0, -1, -1}},
		// search_from.
		{"train,val,test", "train", "", Roles{0, -1, 2}},
		{"train,extra,test", "extra", "", Roles{0, 1, 2}},
		{"train,val", "val", "", Roles{0, 1, -1}},
		{"train,val", "train", "", Roles{0, -1, 1}},
		// Both.
		{"train,val,test", "test", "val", Roles{0, 2, 1}},
		{"train,val,test", "train", "train", Roles{0, -1, -1}},
		{"train,val,test", "val", "train", Roles{0, 1, -1}},
		{"train,test", "test", "train", Roles{0, 1, -1}},
		// The only split is both, and there is no other to score on.
		{"", "train", "train", Roles{0, -1, -1}},
		{"val", "", "train", Roles{0, -1, -1}},
		{"val", "val", "val", Roles{0, -1, -1}},
		{"test", "", "test", Roles{0, -1, -1}},
	} {
		got, err := Assign(splits(strings.Split(c.names, ",")...), c.searchFrom, c.testFrom)
		if err != nil || got != c.want {
			t.Errorf("splits %q, search_from %q, test_from %q: %+v, %v; want %+v", c.names, c.searchFrom, c.testFrom, got, err, c.want)
		}
	}
}

// TestAssignRefuses what cannot be meant, and says which setting or split is at fault.
func TestAssignRefuses(t *testing.T) {
	for _, c := range []struct {
		names                string
		searchFrom, testFrom string
		field                string
		says                 []string
	}{
		{"val,test", "", "", "", []string{"no split is called train", "val, test"}},
		{"a,", "", "", "", []string{"a, one without a name"}},
		{"train,Train,test", "", "", "", []string{`"train" and "Train" both stand for train`}},
		{"train,val,valid", "", "", "", []string{`"val" and "valid" both stand for val`}},
		{"train,test,testing", "val", "", "", []string{`both stand for test`}},
		{"train,test", "", "val", "test_from", []string{`no split "val"`, "train, test"}},
		{"train,test", "dev2", "", "search_from", []string{`no split "dev2"`, "train, test"}},
		// A search must not see the test images.
		{"train,test", "test", "", "search_from", []string{`"test" is the test split`}},
		{"train,val,test", "test", "", "search_from", []string{`"test" is the test split`}},
		{"train,val,test", "test", "test", "search_from", []string{`"test" is the test split`}},
		{"train,val,test", "val", "val", "search_from", []string{`"val" is the test split`}},
		{"train,validation", "validation", "val", "search_from", []string{`"validation" is the test split`}},
	} {
		r, err := Assign(splits(strings.Split(c.names, ",")...), c.searchFrom, c.testFrom)
		var re *RoleError
		if !errors.As(err, &re) || re.Field != c.field || re.Hint == "" {
			t.Errorf("splits %q, search_from %q, test_from %q: %+v, %#v; want an error about %q", c.names, c.searchFrom, c.testFrom, r, err, c.field)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("splits %q: %q does not say %q", c.names, err, s)
			}
		}
	}
}
