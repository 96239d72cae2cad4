package source

import (
	"fmt"
	"strings"
)

// Some lists the first names, as they may be shown, and says how many more there are:
// "ant, bee and 7 more". At most five are listed.
func Some(names []string) string {
	const most = 5
	shown := make([]string, min(len(names), most))
	for i := range shown {
		shown[i] = Shown(names[i])
	}
	list := strings.Join(shown, ", ")
	if more := len(names) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// Counted is Some with what the names are of: "class ant", "7 classes: ant, bee, ...".
func Counted(names []string, one, many string) string {
	if len(names) == 1 {
		return one + " " + Some(names)
	}
	return fmt.Sprintf("%d %s: %s", len(names), many, Some(names))
}
