package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// choiceFlag refuses anything but its choices.
type choiceFlag struct {
	value string
	of    []string
}

func (f *choiceFlag) String() string { return f.value }
func (f *choiceFlag) Type() string   { return strings.Join(f.of, "|") }
func (f *choiceFlag) Set(s string) error {
	if !slices.Contains(f.of, s) {
		return fmt.Errorf("neither %s", strings.Join(f.of, " nor "))
	}
	f.value = s
	return nil
}

// momentFlag is a moment, written as such or as how long it is until then.
type momentFlag struct {
	text string
	at   time.Time // zero when it was not given
}

func (f *momentFlag) String() string { return f.text }
func (f *momentFlag) Type() string   { return "time|duration" }
func (f *momentFlag) Set(s string) error {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		d, err := time.ParseDuration(s)
		if err != nil {
			return errors.New("neither a time like 2031-04-02T08:00:00Z nor a duration like 5m")
		}
		if d < 0 {
			return errors.New("a negative duration")
		}
		at = time.Now().Add(d)
	}
	if at.Before(time.UnixMilli(0)) {
		return errors.New("before 1970")
	}
	f.text, f.at = s, at
	return nil
}
