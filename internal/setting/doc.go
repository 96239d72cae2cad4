// Package setting reads what the tags of a struct say about its settings: key,
// default, range and meaning stand once, in one line, in the package that uses the value.
//
//	type Descent struct {
//		LR    float64 `yaml:"lr" json:"lr" default:"0.025" want:"(0,10]" doc:"learning rate at the start"`
//		MinLR float64 `yaml:"min_lr" json:"min_lr" rule:"[0,lr]" doc:"learning rate at the end"`
//	}
//
// The tag yaml names the key; a field without one, or with "-", is no setting. An
// embedded struct (of an exported type) adds its settings to those around it, a named
// one is a section.
//
//	want    what Check holds the value to:
//	          1..64, 0..     an integer of that range; nothing behind the dots is 2147483647
//	          even 2..1024   an even integer of that range
//	          0 or more      an integer without an upper bound, or a length of time
//	          [0,1) (0,10]   a number of that interval; max is the largest float32
//	          a|b|c          one of these words
//	          choice         one of the words that the struct's method Choices lists
//	rule    instead of want: the range in words, which the struct's method Rules holds
//	        the value to, as it depends on other settings
//	default as the configuration file would have it; the zero value without
//	doc     what it means, with its unit
//
// Contract: a tag that cannot be read, and an integer or a number without a range, is a
// mistake of the program: every function here panics on it, and names the field. Values
// never cause a panic. Nothing here knows what settings there are.
package setting
