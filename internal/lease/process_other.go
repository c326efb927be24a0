//go:build !linux

package lease

import (
	"errors"

	"github.com/lashstore/lashstore"
)

// ProbeProcess proves nothing here: there is no /proc.
func ProbeProcess(lashstore.LocalProcess) (bool, error) {
	return false, errors.New("no process probe on this system")
}

// LocalOwner is an owner of whom nothing can be proven: there is no /proc.
func LocalOwner(id, incarnation string) lashstore.Owner {
	return lashstore.Owner{ID: id, Incarnation: incarnation}
}
