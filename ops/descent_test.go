package ops

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"oneshot/internal/setting"
)

// TestEveryNameHasItsRule: the optimizers of a configuration are those that are
// registered, each with its own settings.
func TestEveryNameHasItsRule(t *testing.T) {
	d := setting.Default[Descent]()
	named := map[reflect.Type]bool{}
	for _, f := range setting.Fields(&d) {
		if f.Key != "optimizer" {
			continue
		}
		for name := range strings.SplitSeq(f.Want, ", ") {
			d.Optimizer = name
			o := d.Rule()
			if o == nil || o.Name() != name {
				t.Errorf("%s is the optimizer %v", name, o)
				continue
			}
			named[reflect.TypeOf(o)] = true
		}
	}
	for o := range rules {
		if !named[o] {
			t.Errorf("no configuration can name %v", o)
		}
	}
	if d.Optimizer = "none"; d.Rule() != nil {
		t.Error("an unknown name has a rule")
	}
	d.Optimizer, d.Momentum = "sgd", 0.125
	if d.Rule() != (SGD{Momentum: 0.125}) {
		t.Errorf("the settings are lost: %+v", d.Rule())
	}
}

func TestOptimizersCheckTheirSettings(t *testing.T) {
	for _, x := range []struct {
		o    Optimizer
		want string
	}{
		{SGD{}, ""},
		{SGD{Momentum: 1}, "ops: momentum is 1, want a number from 0 to below 1"},
		{SGD{Nesterov: true}, "ops: nesterov is true, want momentum above 0"},
		{AdamW{Eps: 1e-8}, ""},
		{AdamW{Beta1: -0.5, Eps: 1e-8}, "ops: beta1 is -0.5, want a number from 0 to below 1"},
		{AdamW{}, "ops: eps is 0, want a number from 1e-30 to 1"},
	} {
		err := x.o.Check()
		var e *setting.Error
		if (err == nil) != (x.want == "") || err != nil && (err.Error() != x.want || !errors.As(err, &e)) {
			t.Errorf("%+v: %v, want %s", x.o, err, x.want)
		}
	}
}
