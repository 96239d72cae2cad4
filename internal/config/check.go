package config

import (
	"errors"
	"fmt"

	"oneshot/internal/fault"
	"oneshot/internal/setting"
)

// Check reports every value outside its range in one error, nil if there is none.
func (c Config) Check() error {
	var errs []error
	for _, e := range setting.Check(c) {
		word, _ := e.Value.(string)
		errs = append(errs, fmt.Errorf("%w%s", e, fault.DidYouMean(word, e.Among)))
	}
	return errors.Join(errs...)
}
