package source

import (
	"fmt"
	"slices"
	"strings"
)

// Roles say what the splits of a collection are used for, by index of Info.Splits; -1 is
// none of them: what is missing is drawn from Train.
type Roles struct {
	Train, Search, Test int
}

// RoleError says that the splits cannot be given roles as asked for.
type RoleError struct {
	Field string // the setting at fault: "search_from", "test_from"; "" where the splits are
	Msg   string
	Hint  string
}

func (e *RoleError) Error() string {
	if e.Field != "" {
		return "data: " + e.Field + ": " + e.Msg
	}
	return "data: " + e.Msg
}

// FromTrain is the value of search_from and test_from that draws images from the training
// split, although there may be others.
const FromTrain = "train"

// words are what splits are called, by role.
var words = map[string][]string{
	"train": {"train", "training"},
	"val":   {"val", "valid", "validation", "dev"},
	"test":  {"test", "testing", "eval"},
}

// RoleNames are what Role returns, in the order in which splits are listed.
func RoleNames() []string { return []string{"train", "val", "test"} }

// Role returns train, val or test for what files may call such a split, and "" for other names.
func Role(name string) string {
	for role, known := range words {
		if slices.Contains(known, strings.ToLower(name)) {
			return role
		}
	}
	return ""
}

// Assign gives the splits their roles: train is trained on; test is the test, and where
// there is none, val is; where there are all three, val is what subnetworks are scored on.
// A role without a split is drawn from Train. searchFrom and testFrom, if not empty, name
// a split instead, or FromTrain.
func Assign(info *Info, searchFrom, testFrom string) (Roles, error) {
	of := map[string]int{"train": -1, "val": -1, "test": -1}
	for i, s := range info.Splits {
		if role := Role(s.Name); role != "" {
			if of[role] >= 0 {
				return Roles{}, &RoleError{Msg: fmt.Sprintf("splits %q and %q both stand for %s", info.Splits[of[role]].Name, s.Name, role),
					Hint: "rename one of them"}
			}
			of[role] = i
		}
	}
	r := Roles{Train: of["train"], Search: -1, Test: of["test"]}
	if r.Train < 0 {
		if len(info.Splits) != 1 {
			return r, &RoleError{Msg: "no split is called train; there are: " + names(info), Hint: "rename the one to train on"}
		}
		r = Roles{0, -1, -1}
	} else if r.Test < 0 {
		r.Test = of["val"]
	} else {
		r.Search = of["val"]
	}
	// The test split is settled first: what it takes is not left for the search.
	if testFrom != "" {
		i, err := named(info, r.Train, "test_from", testFrom)
		if err != nil {
			return r, err
		}
		if r.Test = i; r.Search == i {
			r.Search = -1
		}
		if v := of["val"]; i < 0 && searchFrom == "" && v != r.Train {
			r.Search = v // nothing else is left for it
		}
	}
	if searchFrom != "" {
		i, err := named(info, r.Train, "search_from", searchFrom)
		if err != nil {
			return r, err
		}
		if i >= 0 && i == r.Test {
			if testFrom != "" || i == of["test"] {
				return r, &RoleError{"search_from", fmt.Sprintf("split %q is the test split", info.Splits[i].Name),
					"a search that sees the test images makes the final figure worthless; test_from names another split for it"}
			}
			r.Test = -1 // val, which is the test only where nobody says otherwise
		}
		r.Search = i
	}
	return r, nil
}

// named finds a split by its name or what it stands for; -1 is FromTrain.
func named(info *Info, train int, field, name string) (int, error) {
	for i, s := range info.Splits {
		if s.Name == name || Role(s.Name) == name {
			if i == train {
				return -1, nil
			}
			return i, nil
		}
	}
	if name == FromTrain {
		return -1, nil
	}
	return 0, &RoleError{field, fmt.Sprintf("no split %q; there are: %s", name, names(info)), FromTrain + " draws the images from the training split"}
}

func names(info *Info) string {
	var all []string
	for _, s := range info.Splits {
		if s.Name == "" {
			all = append(all, "one without a name")
			continue
		}
		all = append(all, s.Name)
	}
	return strings.Join(all, ", ")
}
